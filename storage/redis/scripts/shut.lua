-- Nobody enters for so long. ARGV: model, milliseconds. What was said before and is longer holds.
local shut = key('shut', ARGV[1])
if redis.call('PTTL', shut) < tonumber(ARGV[2]) then redis.call('SET', shut, '1', 'PX', ARGV[2]) end
