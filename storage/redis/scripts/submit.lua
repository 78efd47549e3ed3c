-- ARGV: turn, user, parent or '', 1 when the parent was not finished, limits, ttl_s, chat, server or '', engine,
-- how many are asked, each of them, then (bucket, estimate, limit, window_s, life_s)…
-- Gives {'repeat'} | {'full', bucket, seconds until it has room} | {'held', reasons…} | {'ok', position, turns to start…}
local turn, user, parent = ARGV[1], ARGV[2], ARGV[3]
local unfinished, limits, ttl_s = ARGV[4] == '1', limits_of(ARGV[5]), tonumber(ARGV[6])
local chat, server, engine = ARGV[7], ARGV[8], ARGV[9]

local asked = tonumber(ARGV[10])

if redis.call('EXISTS', key('turn', turn)) == 1 then
  return {'repeat'}
end

-- One that waits for consent reserves with the last yes.
local taken, full, room = {}, nil, nil
if asked == 0 then
  taken, full, room = take(11)
  if not taken then return {'full', full, room} end
end

redis.call('HSET', key('turn', turn), 'user', user, 'parent', parent, 'state', 'held',
  'chat', chat, 'server', server, 'engine', engine)
note_taken(turn, taken)
redis.call('EXPIRE', key('turn', turn), ttl_s)
redis.call('ZADD', key('open'), now, turn)

local holds = {}
if parent ~= '' then
  local parent_state = redis.call('HGET', key('turn', parent), 'state')
  -- A parent that is not known here and was not finished is still on its way in: its end will let this one go.
  if (parent_state and parent_state ~= 'settled') or (unfinished and not parent_state) then
    redis.call('SADD', key('kids', parent), turn)
    redis.call('EXPIRE', key('kids', parent), ttl_s)
    holds[#holds + 1] = 'parent'
  end
end
if asked > 0 then
  -- A state of its own: a version that knows nothing of consent does not let it go with its parent.
  redis.call('HSET', key('turn', turn), 'state', 'asking')
  redis.call('SADD', key('asks', turn), unpack(ARGV, 11, 10 + asked))
  redis.call('EXPIRE', key('asks', turn), ttl_s)
  holds[#holds + 1] = 'consent'
end
if #holds > 0 then return {'held', unpack(holds)} end
make_ready(turn, user)
local started = pump(limits)
return {'ok', position(turn), unpack(started)}
