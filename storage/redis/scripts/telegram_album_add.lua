-- A picture of an album came, or came again. KEYS: the album, to which album its message belongs.
-- ARGV: message id, item, at, group, life_s. Gives the album as it stands.
-- Times as text: as a number one would lose its last digits on the way into the database.
local album, item, at = KEYS[1], 'item:' .. ARGV[1], tonumber(ARGV[3])
local new = redis.call('HSET', album, item, ARGV[2]) == 1
if new then
  redis.call('HSETNX', album, 'began_at', ARGV[3])
  local last_at = tonumber(redis.call('HGET', album, 'last_at'))
  if last_at and at > last_at then
    local gap_s = tonumber(redis.call('HGET', album, 'gap_s') or '0')
    redis.call('HSET', album, 'gap_s', string.format('%.6f', math.max(gap_s, at - last_at)))
  end
  if not last_at or at > last_at then redis.call('HSET', album, 'last_at', ARGV[3]) end
  if at < tonumber(redis.call('HGET', album, 'began_at')) then redis.call('HSET', album, 'began_at', ARGV[3]) end
end
redis.call('SET', KEYS[2], ARGV[4], 'EX', ARGV[5])
redis.call('EXPIRE', album, ARGV[5])
return redis.call('HGETALL', album)
