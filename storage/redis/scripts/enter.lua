-- A call to a model, in a slot of their own: `base` is rb:{models}.
-- <base>:line:<model>  zset  ticket -> when it came
-- <base>:seen:<model>  zset  ticket -> when it was shown last
-- <base>:shut:<model>  as long as nobody is let in
-- ARGV: model, ticket, life of a ticket that is not shown (s), then (bucket, estimate, limit, window_s, life_s)…
-- Gives '0' when all was taken, else in how many seconds there should be room.
local model, ticket, life_s = ARGV[1], ARGV[2], tonumber(ARGV[3])
local line, seen = key('line', model), key('seen', model)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - life_s)) do
  redis.call('ZREM', line, gone)
  redis.call('ZREM', seen, gone)
end
redis.call('ZADD', line, 'NX', string.format('%.6f', now), ticket)
redis.call('ZADD', seen, string.format('%.6f', now), ticket)
local before = redis.call('ZRANK', line, ticket)
local wait_s = math.max(0, redis.call('PTTL', key('shut', model)) / 1000)
if wait_s == 0 then
  -- There has to be room for those who came before, too: they are taken to need as much.
  for i = 4, #ARGV, 5 do
    local name, estimate, limit, window_s = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
    if estimate > 0 and held(name, window_s) + (before + 1) * estimate > limit then
      local at_once = math.max(1, math.floor(limit / estimate))
      local windows, rest = math.floor(before / at_once), before % at_once + 1
      wait_s = math.max(wait_s, windows * window_s + room_in(name, rest * estimate, limit, window_s), 0.05)
    end
  end
end
if wait_s == 0 then
  take(4)
  redis.call('ZREM', line, ticket)
  redis.call('ZREM', seen, ticket)
else
  redis.call('EXPIRE', line, math.ceil(life_s) + 1)
  redis.call('EXPIRE', seen, math.ceil(life_s) + 1)
end
return tostring(wait_s)
