-- Remembers a message before anything is done with it. KEYS[1] the message's hash.
-- ARGV: record, inbound field, inbound, ttl_s. Gives the record that stands.
local message = KEYS[1]
if redis.call('HEXISTS', message, 'record') == 0 then
  redis.call('HSET', message, 'v', '1', 'record', ARGV[1])
end
redis.call('HSETNX', message, ARGV[2], ARGV[3])
redis.call('EXPIRE', message, ARGV[4])
return redis.call('HGET', message, 'record')
