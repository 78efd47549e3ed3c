-- One of those whom a turn asks has agreed. ARGV: turn, owner, limits, (bucket, estimate, limit, window_s, life_s)…
-- What a turn reserves is taken with the last yes: nobody's silence holds the caps.
-- Gives {'repeat'} | {'full', bucket, seconds until it has room} | {'held', reasons…} | {'ok', turns to start…}
local turn, owner = ARGV[1], ARGV[2]
if redis.call('HGET', key('turn', turn), 'state') ~= 'asking'
    or redis.call('SISMEMBER', key('asks', turn), owner) == 0 then
  return {'repeat'}
end
if redis.call('SCARD', key('asks', turn)) > 1 then
  redis.call('SREM', key('asks', turn), owner)
  return {'held', 'consent'}
end
local taken, full, room = take(4)
if not taken then return {'full', full, room} end
redis.call('SREM', key('asks', turn), owner)
note_taken(turn, taken)
if parent_holds(turn) then
  redis.call('HSET', key('turn', turn), 'state', 'held')
  return {'held', 'parent'}
end
make_ready(turn, redis.call('HGET', key('turn', turn), 'user'))
return {'ok', unpack(pump(limits_of(ARGV[3])))}
