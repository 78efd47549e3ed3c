-- One of those whom a turn asks has agreed. ARGV: turn, owner, author_limit. Gives the turns to start.
local turn, owner = ARGV[1], ARGV[2]
if redis.call('SREM', key('asks', turn), owner) == 0
    or redis.call('EXISTS', key('asks', turn)) == 1
    or redis.call('HGET', key('turn', turn), 'state') ~= 'asking' then
  return {}
end
if parent_holds(turn) then
  redis.call('HSET', key('turn', turn), 'state', 'held')
  return {}
end
make_ready(turn, redis.call('HGET', key('turn', turn), 'user'))
return pump(tonumber(ARGV[3]))
