-- Updates whose holder has shown no life for a while become another's. KEYS: the stream, at how many
-- tries of each a process died.
-- ARGV: group, holder, idle_ms, most, for how many ms a holder that has nothing is kept.
-- Gives {{entry, fields, tries}…}.
local stream, group, holder, idle_ms, most = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('EXISTS', stream) == 0 then return {} end
local found, cursor = {}, '0-0'
repeat
  local claimed = redis.pcall('XAUTOCLAIM', stream, group, holder, idle_ms, cursor, 'COUNT', most - #found)
  if claimed.err then
    if string.find(claimed.err, 'NOGROUP', 1, true) then return {} end
    return claimed
  end
  cursor = claimed[1]
  for _, entry in ipairs(claimed[2]) do
    found[#found + 1] = {entry[1], entry[2], redis.call('HGET', KEYS[2], entry[1]) or 0}
  end
until cursor == '0-0' or #found >= most
-- Every process is a holder of its own. Those that ended are forgotten, once they have nothing any more.
for _, about in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local of = {}
  for i = 1, #about, 2 do of[about[i]] = about[i + 1] end
  if of.pending == 0 and of.idle > tonumber(ARGV[5]) and of.name ~= holder then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, of.name)
  end
end
return found
