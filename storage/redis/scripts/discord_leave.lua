-- Hears these shards no more. KEYS: who hears what, who lives. ARGV: holder, '1' where it goes and leaves all, shards…
local all = ARGV[2] == '1'
if all then redis.call('ZREM', KEYS[2], ARGV[1]) end
local left = all and redis.call('HKEYS', KEYS[1]) or {unpack(ARGV, 3)}
for _, shard in ipairs(left) do
  if redis.call('HGET', KEYS[1], shard) == ARGV[1] then redis.call('HDEL', KEYS[1], shard) end
end
