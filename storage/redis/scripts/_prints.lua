-- Shared by the scripts of the fingerprints. KEYS[1] is what their names begin with: all of them lie in one slot.
-- A row is 54 bytes: the code, the turn, one byte of kind, one of index. Zeroes are a place without a row.
local prints = KEYS[1]
local ROW, SEGMENT, CHANGES = 54, 4096, 4000
local changed = {}

-- The hash of small hashes that knows a turn's places: small enough for the server to keep each in one piece.
local function places_of(turn)
  return prints .. ':of:' .. (string.byte(turn, 19) * 256 + string.byte(turn, 20)) % 16384
end

local function write(place, row)
  local segment, at = prints .. ':rows:' .. math.floor(place / SEGMENT), place % SEGMENT * ROW
  if redis.call('GETRANGE', segment, at, at + ROW - 1) == row then return end
  -- Its last byte first, so that the server takes just as much memory as it needs.
  if redis.call('EXISTS', segment) == 0 then redis.call('SETRANGE', segment, SEGMENT * ROW - 1, '\0') end
  redis.call('SETRANGE', segment, at, row)
  changed[#changed + 1] = string.format('%d', place)
end

local function free(place)
  write(place, string.rep('\0', ROW))
  redis.call('LPUSH', prints .. ':free', place)
  redis.call('HINCRBY', prints .. ':state', 'count', -1)
end

local function new_place()
  redis.call('HINCRBY', prints .. ':state', 'count', 1)
  return tonumber(redis.call('RPOP', prints .. ':free') or (redis.call('HINCRBY', prints .. ':state', 'next', 1) - 1))
end

-- The others read what changed before they look anything up.
local function tell()
  for first = 1, #changed, 128 do
    local some = table.concat(changed, ' ', first, math.min(first + 127, #changed))
    redis.call('XADD', prints .. ':changes', 'MAXLEN', '~', CHANGES, '*', 'places', some)
  end
end
