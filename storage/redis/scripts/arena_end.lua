-- ARGV: arena, model A, model B ('' where instructions were compared), now, retention (s), life of results (s), most
-- matches, most bad ones. Gives {a, b, tie, bad}: counted the first time, and the same ever after.
local arena, ended = ARGV[1], key('ended', ARGV[1])
if redis.call('EXISTS', ended) == 0 then
  local count = {a = 0, b = 0, tie = 0, bad = 0}
  for _, choice in ipairs(redis.call('HVALS', key('votes', arena))) do
    count[choice] = count[choice] + 1
  end
  for _, choice in ipairs(CHOICES) do redis.call('HSET', ended, choice, count[choice]) end
  drop_votes(arena)
  if redis.call('ZSCORE', key('open'), arena) then redis.call('ZADD', key('open'), 0, arena) end
  local figures = {count.a, count.b, count.tie, count.bad}
  if ARGV[2] ~= '' and count.a + count.b + count.tie + count.bad > 0 then
    local match = {ARGV[2], ARGV[3], unpack(figures)}
    redis.call('HSET', key('matches'), arena, cjson.encode(match))
    redis.call('ZADD', key('when'), ARGV[4], arena)
    trim('when', 'matches', tonumber(ARGV[7]))
    redis.call('EXPIRE', key('matches'), ARGV[6])
    redis.call('EXPIRE', key('when'), ARGV[6])
  end
  if count.bad > 0 then
    redis.call('ZADD', key('bad'), count.bad, arena)
    redis.call('HSET', key('badly'), arena, cjson.encode(figures))
    trim('bad', 'badly', tonumber(ARGV[8]))
    redis.call('EXPIRE', key('bad'), ARGV[5])
    redis.call('EXPIRE', key('badly'), ARGV[5])
  end
end
redis.call('EXPIRE', ended, ARGV[5])
return redis.call('HMGET', ended, unpack(CHOICES))
