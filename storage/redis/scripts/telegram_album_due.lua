-- Albums that are to be looked at. KEYS: when each is due, which of them somebody is looking at.
-- ARGV: what, …
--   'wake', album, when, ttl_s    to be looked at then
--   'due', now, until_s, ttl_s    those whose time has come; they come again then, unless they are let go
--   'drop', album                 let go: but where it was to be looked at again since it was given, it stays
local due, given = KEYS[1], KEYS[2]
if ARGV[1] == 'wake' then
  redis.call('ZADD', due, ARGV[3], ARGV[2])
  if redis.call('HEXISTS', given, ARGV[2]) == 1 then redis.call('HSET', given, ARGV[2], 'woken') end
  redis.call('EXPIRE', due, ARGV[4])
  return 1
end
if ARGV[1] == 'due' then
  local albums = redis.call('ZRANGEBYSCORE', due, '-inf', ARGV[2], 'LIMIT', 0, 100)
  for _, album in ipairs(albums) do
    redis.call('ZADD', due, ARGV[3], album)
    redis.call('HSET', given, album, 'given')
  end
  if #albums > 0 then
    redis.call('EXPIRE', due, ARGV[4])
    redis.call('EXPIRE', given, ARGV[4])
  end
  return albums
end
local woken = redis.call('HGET', given, ARGV[2]) == 'woken'
redis.call('HDEL', given, ARGV[2])
return woken and 0 or redis.call('ZREM', due, ARGV[2])
