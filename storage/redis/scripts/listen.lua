-- The right to listen to a voice message. KEYS[1] the message's hash. ARGV: life_s, ttl_s, a name for this very call.
-- Gives which try it is, from 1; 0 while an earlier one's time is not over, and where it was heard.
local message = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
-- A command whose answer was lost comes again: it is told the same.
if redis.call('HGET', message, 'listening_call') == ARGV[3] then
  return tonumber(redis.call('HGET', message, 'listened'))
end
if redis.call('HEXISTS', message, 'heard') == 1 then return 0 end
if (tonumber(redis.call('HGET', message, 'listening_until')) or 0) > now then return 0 end
redis.call('HSET', message, 'listening_until', string.format('%.6f', now + tonumber(ARGV[1])), 'listening_call', ARGV[3])
redis.call('EXPIRE', message, ARGV[2])
return redis.call('HINCRBY', message, 'listened', 1)
