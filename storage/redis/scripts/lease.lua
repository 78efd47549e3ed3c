-- One of many does it. KEYS[1] the lease. ARGV: who, for how long (ms). Gives 1 for who has it now.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
