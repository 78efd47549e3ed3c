-- Erasure takes things out of a message. KEYS[1] its hash. ARGV: (field, as it was read, without them)…; a field of
-- which nothing is left goes with its name.
-- Gives 1, or 0 when one of them is another by now, or gone: to be read again.
for i = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
end
for i = 1, #ARGV, 3 do
  if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
return 1
