-- The store's high-water mark: it only ever rises. KEYS[1] its hash. ARGV: a name for a new one, the least that it must
-- stand at by what is known elsewhere, seconds between two marks. Gives {name, mark, 1 when it has risen}.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
redis.call('HSETNX', KEYS[1], 'name', ARGV[1])
local mark = tonumber(redis.call('HGET', KEYS[1], 'mark') or '0')
local risen_at = tonumber(redis.call('HGET', KEYS[1], 'at') or '0')
if mark < tonumber(ARGV[2]) then
  mark = tonumber(ARGV[2])
elseif now - risen_at < tonumber(ARGV[3]) and now >= risen_at then
  return {redis.call('HGET', KEYS[1], 'name'), mark, 0}
end
redis.call('HSET', KEYS[1], 'mark', string.format('%.0f', mark + 1), 'at', tostring(now))
return {redis.call('HGET', KEYS[1], 'name'), mark + 1, 1}
