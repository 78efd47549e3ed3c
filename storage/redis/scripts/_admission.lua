-- Shared by the scripts of the admission slot. Every key here carries the same hash tag.
-- base        prefix of all keys, e.g. rb:{adm}
-- <base>:turn:<id>   hash  user, parent, state (held|asking|ready|admitted|settled),
--                           buckets (json [[name, estimate, slice, window_s]…], the last two of rolling ones)
-- <base>:kids:<id>   set   turns held until <id> is settled; one of them that is `asking` is not let go by that alone,
--                           but once it is not in here any more and nobody's consent is missing
-- <base>:asks:<id>   set   whose consent an asking turn still waits for
-- <base>:ready:<user> list of a person's turns that wait for a free slot, oldest first
-- <base>:ring        list of persons with ready turns: the head is next
-- <base>:admitted    hash  turn -> user: given to the queue and not settled
-- <base>:under_way   hash  user -> how many of theirs are admitted
-- <base>:slots       hash  worker -> "slots:alive until (s)"
-- <base>:open        zset  turn -> when submitted: not yet delivered
-- <base>:bucket:<name>  number: reserved and used
-- <base>:rolling:<name> hash  slice of time -> reserved and used, late costs in the slice where they became known
-- <base>:charged:<key>  what was charged before its turn, for a day: a repeat changes nothing
-- <base>:used:<day>  hash  "<figure>:<model>" -> how much: the usage book
local base = KEYS[1]
local SLICES = 20
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6

local function key(...)
  return table.concat({base, ...}, ':')
end

local function slice_now(window_s)
  return math.floor(now * SLICES / window_s)
end

-- What a bucket holds. Of a rolling one every slice counts that touches the last `window_s` seconds; older ones go.
local function held(name, window_s)
  if window_s == 0 then
    return tonumber(redis.call('GET', key('bucket', name)) or '0')
  end
  local sum, oldest = 0, slice_now(window_s) - SLICES
  local all = redis.call('HGETALL', key('rolling', name))
  for i = 1, #all, 2 do
    if tonumber(all[i]) >= oldest then
      sum = sum + tonumber(all[i + 1])
    else
      redis.call('HDEL', key('rolling', name), all[i])
    end
  end
  return sum
end

-- Gives back, never more than the bucket holds. Of a rolling one what was taken last goes first.
local function give_back(name, amount, window_s)
  amount = math.min(amount, held(name, window_s))
  if amount <= 0 then return end
  if window_s == 0 then
    redis.call('DECRBY', key('bucket', name), amount)
    return
  end
  for slice = slice_now(window_s), slice_now(window_s) - SLICES, -1 do
    local field = string.format('%.0f', slice)
    local there = math.min(amount, tonumber(redis.call('HGET', key('rolling', name), field) or '0'))
    if there > 0 then
      redis.call('HINCRBY', key('rolling', name), field, -there)
      amount = amount - there
    end
  end
end

-- Counts in the slice of now, and gives its name.
local function roll(name, amount, window_s)
  local slice = string.format('%.0f', slice_now(window_s))
  redis.call('HINCRBY', key('rolling', name), slice, amount)
  redis.call('EXPIRE', key('rolling', name), math.ceil(window_s * (1 + 1 / SLICES)) + 1)
  return slice
end

-- Reserves from buckets that stand in ARGV from `first` on as (bucket, estimate, limit, window_s, life_s)…: from all of
-- them or from none. An estimate below zero gives back. Gives {{bucket, estimate}…}, rolling ones with {…, slice,
-- window_s}; or nil and the bucket that had no room.
local function take(first)
  for i = first, #ARGV, 5 do
    local estimate = tonumber(ARGV[i + 1])
    if estimate >= 0 and held(ARGV[i], tonumber(ARGV[i + 3])) + estimate > tonumber(ARGV[i + 2]) then
      return nil, ARGV[i]
    end
  end
  local taken = {}
  for i = first, #ARGV, 5 do
    local name, estimate, window_s = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 3])
    if estimate < 0 then
      give_back(name, -estimate, window_s)
    elseif window_s == 0 then
      redis.call('INCRBY', key('bucket', name), estimate)
      redis.call('EXPIRE', key('bucket', name), ARGV[i + 4])
      taken[#taken + 1] = {name, estimate}
    else
      taken[#taken + 1] = {name, estimate, roll(name, estimate, window_s), window_s}
    end
  end
  return taken
end

-- Corrects what was reserved to what is charged, as far as it still counts. Where its slice is gone, because the turn
-- took longer than the window, the charge counts from now.
local function correct(reserved, charge)
  local name, estimate, slice, window_s = unpack(reserved)
  if not slice then
    if redis.call('EXISTS', key('bucket', name)) == 1 then
      redis.call('INCRBY', key('bucket', name), charge - estimate)
    end
  elseif redis.call('HEXISTS', key('rolling', name), slice) == 1
      and not (window_s and tonumber(slice) < slice_now(window_s) - SLICES) then
    redis.call('HINCRBY', key('rolling', name), slice, charge - estimate)
  elseif window_s and charge > 0 then
    roll(name, charge, window_s)
  end
end

local function capacity()
  local sum = 0
  local all = redis.call('HGETALL', key('slots'))
  for i = 1, #all, 2 do
    local slots, until_s = string.match(all[i + 1], '^(%d+):([%d%.]+)$')
    if slots and tonumber(until_s) > now then
      sum = sum + tonumber(slots)
    else
      redis.call('HDEL', key('slots'), all[i])
    end
  end
  return sum
end

local function make_ready(turn, user)
  redis.call('HSET', key('turn', turn), 'state', 'ready')
  redis.call('RPUSH', key('ready', user), turn)
  if redis.call('LLEN', key('ready', user)) == 1 then
    redis.call('RPUSH', key('ring'), user)
  end
end

-- Whether its parent is not finished.
local function parent_holds(turn)
  local parent = redis.call('HGET', key('turn', turn), 'parent')
  return parent and parent ~= '' and redis.call('SISMEMBER', key('kids', parent), turn) == 1
end

-- Lets as many ready turns run as there are free slots, one person after the other. Gives their ids.
local function pump(author_limit)
  local started = {}
  local free = capacity() - redis.call('HLEN', key('admitted'))
  local skipped = 0
  while free > 0 and skipped < redis.call('LLEN', key('ring')) do
    local user = redis.call('LPOP', key('ring'))
    local busy = tonumber(redis.call('HGET', key('under_way'), user) or '0')
    if busy >= author_limit then
      redis.call('RPUSH', key('ring'), user)
      skipped = skipped + 1
    else
      local turn = redis.call('LPOP', key('ready', user))
      -- One whose record here has expired is nobody's any more.
      if turn and redis.call('EXISTS', key('turn', turn)) == 1 then
        redis.call('HSET', key('turn', turn), 'state', 'admitted')
        redis.call('HSET', key('admitted'), turn, user)
        redis.call('HINCRBY', key('under_way'), user, 1)
        started[#started + 1] = turn
        free = free - 1
        skipped = 0
      end
      if redis.call('LLEN', key('ready', user)) > 0 then
        redis.call('RPUSH', key('ring'), user)
      end
    end
  end
  return started
end

-- How many ready turns a worker takes up before this one, plus one; 0 when it does not stand in the queue.
local function position(turn)
  local user = redis.call('HGET', key('turn', turn), 'user')
  if not user then return 0 end
  local own = redis.call('LPOS', key('ready', user), turn)
  if not own then return 0 end
  local before = own
  for _, other in ipairs(redis.call('LRANGE', key('ring'), 0, -1)) do
    if other ~= user then
      before = before + math.min(redis.call('LLEN', key('ready', other)), own + 1)
    end
  end
  return before + 1
end
