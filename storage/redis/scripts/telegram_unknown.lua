-- KEYS: what is known of a message that is to be sent once. ARGV: life_s.
-- Whoever knows that it stands there knows better.
if redis.call('HGET', KEYS[1], 'state') ~= 'sent' then redis.call('HSET', KEYS[1], 'state', 'unknown') end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
