-- Updates come in. KEYS: the stream, then per update a key that says it was seen.
-- ARGV: group, life_s, seen_s, then per update (id, field, text). Gives how many were new.
local stream, group = KEYS[1], ARGV[1]
redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
local new = 0
for i = 2, #KEYS do
  local first = 4 + (i - 2) * 3
  if redis.call('EXISTS', KEYS[i]) == 0 then
    -- Seen only once it stands there: where this fails, it is not taken for a repeat when it comes again.
    redis.call('XADD', stream, '*', 'id', ARGV[first], ARGV[first + 1], ARGV[first + 2])
    redis.call('SET', KEYS[i], '1', 'EX', ARGV[3])
    new = new + 1
  end
end
redis.call('EXPIRE', stream, ARGV[2])
return new
