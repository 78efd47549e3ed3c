-- What is noted of what somebody said holds, unless something later stands here. KEYS: what they said. ARGV: when they
-- said "never" (s), 0 where that does not hold; when they last said anything else; and (field, until when)… of each
-- "here" that may have ended.
-- Gives "never" where that holds anew, "unsaid" where something else changed, or nothing.
local changed = false
for i = 3, #ARGV, 2 do
  local at = redis.call('HGET', KEYS[1], ARGV[i])
  if at and tonumber(at) <= tonumber(ARGV[i + 1]) then
    redis.call('HDEL', KEYS[1], ARGV[i])
    changed = 'unsaid'
  end
end
local never = redis.call('HGET', KEYS[1], 'never')
if tonumber(ARGV[1]) > 0 then
  if redis.call('HLEN', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[1], 'never', ARGV[1])
    changed = 'never'
  end
elseif never and tonumber(never) <= tonumber(ARGV[2]) then
  redis.call('HDEL', KEYS[1], 'never')
  changed = 'unsaid'
end
return changed
