-- Remembers a message before anything is done with it. KEYS[1] the message's hash.
-- ARGV: record, inbound field, inbound, ttl_s. Gives {the record that stands, 1 when there was none}.
local message = KEYS[1]
local new = redis.call('HSETNX', message, 'record', ARGV[1])
if new == 1 then redis.call('HSET', message, 'v', '1') end
redis.call('HSETNX', message, ARGV[2], ARGV[3])
redis.call('EXPIRE', message, ARGV[4])
return {redis.call('HGET', message, 'record'), new}
