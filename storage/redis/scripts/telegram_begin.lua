-- KEYS: what is known of a message that is to be sent once. ARGV: now, life_s.
-- Gives {state, messages, at} as it stood, {} where it is ours to send now.
local known = redis.call('HMGET', KEYS[1], 'state', 'messages', 'at')
if known[1] then return {known[1], known[2] or '', known[3] or '0'} end
redis.call('HSET', KEYS[1], 'state', 'sending', 'at', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {}
