-- What stands before a turn that waits for a slot. ARGV: turn, limits, most.
-- Gives {position, slots, engines of those before (at most so many) …joined by spaces, "engine:seconds" of those admitted
-- …joined by spaces}; position 0 when it does not stand in the queue, or more than the free slots keeps it.
local turn, limits, most = ARGV[1], limits_of(ARGV[2]), tonumber(ARGV[3])
local found = before(turn)
if not found then return {0, 0, '', ''} end
local first = {}
for _, each in ipairs(found) do
  if each[2] > 0 and #first < most then
    for _, other in ipairs(redis.call('LRANGE', key('ready', each[1]), 0, math.min(each[2], most - #first) - 1)) do
      first[#first + 1] = redis.call('HGET', key('turn', other), 'engine') or '-'
    end
  end
end
local admitted = {}
for _, other in ipairs(redis.call('HKEYS', key('admitted'))) do
  local about = redis.call('HMGET', key('turn', other), 'engine', 'since')
  admitted[#admitted + 1] = (about[1] or '-') .. ':' .. string.format('%.1f', now - (tonumber(about[2]) or now))
end
return {position(turn), slots_of(limits), table.concat(first, ' '), table.concat(admitted, ' ')}
