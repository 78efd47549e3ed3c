-- Shows life, takes shards that nobody living hears, and says which are one too many.
-- KEYS: who hears what, who lives. ARGV: holder, how many shards it would make, life_ms, kept_s.
-- Gives {how many there are, {its own}, {those of them that it is to leave to others}}
local shards, living = KEYS[1], KEYS[2]
local holder, wanted = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

redis.call('ZREMRANGEBYSCORE', living, '-inf', now)
local count = tonumber(redis.call('HGET', shards, 'count'))
-- Another number makes all of them others: only when nobody hears any.
if not count or (redis.call('ZCARD', living) == 0 and count ~= wanted) then
  redis.call('DEL', shards)
  redis.call('HSET', shards, 'count', wanted)
  count = wanted
end
redis.call('ZADD', living, now + ARGV[3], holder)
redis.call('EXPIRE', living, ARGV[4])
redis.call('EXPIRE', shards, ARGV[4])

local most = math.ceil(count / redis.call('ZCARD', living))
local own, free = {}, {}
for shard = 0, count - 1 do
  local by = redis.call('HGET', shards, shard)
  if by == holder then
    own[#own + 1] = shard
  elseif not by or not redis.call('ZSCORE', living, by) then
    free[#free + 1] = shard
  end
end
for _, shard in ipairs(free) do
  if #own >= most then break end
  redis.call('HSET', shards, shard, holder)
  own[#own + 1] = shard
end
local leave = {}
for at = most + 1, #own do leave[#leave + 1] = own[at] end
return {count, own, leave}
