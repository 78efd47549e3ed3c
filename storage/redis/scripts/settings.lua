-- Settings of a chat or a server. KEYS[1] where they stand. ARGV: what they must be now ('' for nothing), what they shall
-- be, and how long they live (s).
-- Gives 1, or 0 when they are others by now: nothing was written.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
