-- Takes from buckets what is used before there is a turn, and gives back. ARGV: key, how long a repeat with it changes
-- nothing (s), then (bucket, estimate, limit, window_s, life_s)… Gives the bucket that had no room, or ''.
local charged = key('charged', ARGV[1])
if redis.call('EXISTS', charged) == 1 then return '' end
local taken, full = take(3)
if not taken then return full end
redis.call('SET', charged, '1', 'EX', ARGV[2])
return ''
