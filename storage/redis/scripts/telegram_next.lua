-- The oldest updates that nobody has taken. KEYS: the stream, at how many tries of each a process died.
-- ARGV: group, holder, most, life_s of a try that begins with it; '' where none does. Gives {{entry, fields}…}.
local found = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if not found then return {} end
if found.err then
  -- Nothing has come in yet, or not for so long that all of it is gone.
  if string.find(found.err, 'NOGROUP', 1, true) then return {} end
  return found
end
local taken = found[1][2]
if ARGV[4] ~= '' and #taken > 0 then
  for _, entry in ipairs(taken) do redis.call('HSET', KEYS[2], entry[1], 1) end
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return taken
