-- Takes the next place to begin a session. KEYS: the lane. ARGV: how long it is taken then, in ms.
-- Gives 0 where it was taken, otherwise how many ms to wait before asking again.
local left = redis.call('PTTL', KEYS[1])
if left > 0 then return left end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 0
