-- The oldest updates that nobody has taken. KEYS: the stream. ARGV: group, holder, most. Gives {{entry, fields}…}.
local found = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if not found then return {} end
if found.err then
  -- Nothing has come in yet, or not for so long that all of it is gone.
  if string.find(found.err, 'NOGROUP', 1, true) then return {} end
  return found
end
return found[1][2]
