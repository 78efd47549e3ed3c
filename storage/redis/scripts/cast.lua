-- Somebody in the cast of a chat. KEYS[1] its hash. ARGV: the field, what it must hold now ('' for nothing), what it
-- shall hold ('' for nothing), and how long the hash lives (s; '' to leave that as it is).
-- Gives 1, or 0 when it is another by now: nothing was written.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
if ARGV[4] ~= '' then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
return 1
