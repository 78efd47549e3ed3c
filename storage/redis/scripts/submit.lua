-- ARGV: turn, user, parent or '', 1 when the parent was not finished, author_limit, ttl_s,
-- then (bucket, estimate, limit, window_s, life_s)…
-- Gives {'repeat'} | {'full', bucket} | {'held', position} | {'ok', position, turns to start…}
local turn, user, parent = ARGV[1], ARGV[2], ARGV[3]
local unfinished, author_limit, ttl_s = ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])

if redis.call('EXISTS', key('turn', turn)) == 1 then
  return {'repeat'}
end

local taken, full = take(7)
if not taken then
  return {'full', full}
end

redis.call('HSET', key('turn', turn), 'user', user, 'parent', parent, 'state', 'held',
  'buckets', #taken > 0 and cjson.encode(taken) or '[]')
redis.call('EXPIRE', key('turn', turn), ttl_s)
redis.call('ZADD', key('open'), now, turn)

if parent ~= '' then
  local parent_state = redis.call('HGET', key('turn', parent), 'state')
  -- A parent that is not known here and was not finished is still on its way in: its end will let this one go.
  if (parent_state and parent_state ~= 'settled') or (unfinished and not parent_state) then
    redis.call('SADD', key('kids', parent), turn)
    redis.call('EXPIRE', key('kids', parent), ttl_s)
    return {'held', 0}
  end
end
make_ready(turn, user)
local started = pump(author_limit)
return {'ok', position(turn), unpack(started)}
