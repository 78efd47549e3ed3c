-- The store's high-water mark: it only ever rises. KEYS[1] its hash. ARGV: a name for a new one, the least that it must
-- stand at by what is known elsewhere, seconds between two marks. Gives {name, how high it stood, how high it is now, or
-- 0 if it has not risen}: how high it stood is told by the very call that raises it, so that no loss is covered up.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
redis.call('HSETNX', KEYS[1], 'name', ARGV[1])
local name = redis.call('HGET', KEYS[1], 'name')
local stood = tonumber(redis.call('HGET', KEYS[1], 'mark') or '0')
local risen_at = tonumber(redis.call('HGET', KEYS[1], 'at') or '0')
local least = tonumber(ARGV[2])
if stood >= least and now >= risen_at and now - risen_at < tonumber(ARGV[3]) then
  return {name, stood, 0}
end
local stands = math.max(stood, least) + 1
redis.call('HSET', KEYS[1], 'mark', string.format('%.0f', stands), 'at', tostring(now))
return {name, stood, stands}
