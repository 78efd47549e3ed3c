-- Erasure takes things out of a message. KEYS[1] its hash. ARGV: (field, as it was read, without them)…
-- Gives 1, or 0 when one of them is another by now, or gone: to be read again.
for i = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
end
for i = 1, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
end
return 1
