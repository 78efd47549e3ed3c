-- KEYS: until when a lane is held back. ARGV: for how long (µs), now or '' for the server's own time.
local clock = redis.call('TIME')
local now = ARGV[2] ~= '' and tonumber(ARGV[2]) or tonumber(clock[1]) * 1e6 + tonumber(clock[2])
local till = now + tonumber(ARGV[1])
if till <= tonumber(redis.call('GET', KEYS[1]) or '0') then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', string.format('%.0f', math.ceil((till - now) / 1000) + 1))
return 1
