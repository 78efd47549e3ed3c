-- Places in lanes. KEYS: per lane the times at which its last places are (µs, oldest first), and until when it is held
-- back. ARGV: spare or '', now or '' for the server's own time, the longest wait (µs) or '', 1 when the places that are
-- not shared were taken before and have come, then per lane (most, window in µs, 1 when shared).
-- Gives how long until the place comes, in µs; nothing where it was to be left out. What is further away than the longest
-- wait is not taken.
-- Numbers are written in full: by itself Lua would round a time to its first fourteen digits.
local function text(number) return string.format('%.0f', number) end
local clock = redis.call('TIME')
local now = ARGV[2] ~= '' and tonumber(ARGV[2]) or tonumber(clock[1]) * 1e6 + tonumber(clock[2])
local spare = ARGV[1] ~= '' and tonumber(ARGV[1]) or nil
local longest = ARGV[3] ~= '' and tonumber(ARGV[3]) or math.huge
local came = ARGV[4] == '1'
local lanes = {}
for i = 1, #KEYS, 2 do
  local first = 5 + (i - 1) / 2 * 3
  local lane = {times = KEYS[i], held = tonumber(redis.call('GET', KEYS[i + 1]) or '0'), most = tonumber(ARGV[first]),
    window = tonumber(ARGV[first + 1]), shared = ARGV[first + 2] == '1'}
  lanes[#lanes + 1] = lane
  -- A place that came while its lane is held back is worth nothing any more, nor are those beside it.
  if not lane.shared and lane.held > now then came = false end
end
local place, wanted = now, {}
for _, lane in ipairs(lanes) do
  if lane.shared or not came then wanted[#wanted + 1] = lane end
end
for _, lane in ipairs(wanted) do
  local last = tonumber(redis.call('LINDEX', lane.times, -1) or '0')
  local oldest = tonumber(redis.call('LINDEX', lane.times, -lane.most) or '0')
  if spare then
    -- Each place less that is left is one more in the window.
    local left = lane.most - spare
    local before = left >= 1 and redis.call('LINDEX', lane.times, -left) or nil
    if left < 1 or (before and tonumber(before) + lane.window > now) then return false end
  end
  place = math.max(place, lane.held, last)
  if oldest > 0 then place = math.max(place, oldest + lane.window) end
end
if spare and place > now then return false end
if place - now > longest then return text(place - now) end
for _, lane in ipairs(wanted) do
  if not lane.shared or place <= now then
    redis.call('RPUSH', lane.times, text(place))
    redis.call('LTRIM', lane.times, -lane.most, -1)
    redis.call('PEXPIRE', lane.times, text(math.ceil((place - now + lane.window) / 1000) + 1000))
  end
end
return text(place - now)
