-- Shared by the scripts of the admission slot. Every key here carries the same hash tag.
-- base        prefix of all keys, e.g. rb:{adm}
-- <base>:turn:<id>   hash  user, parent, chat, server, engine, since (when admitted),
--                           state (held|asking|ready|admitted|settled),
--                           buckets (json [[name, estimate, slice, window_s]…], the last two of rolling ones),
--                           counts (the same for buckets that count turns: a version that knows only money leaves them)
-- <base>:kids:<id>   set   turns held until <id> is settled; one of them that is `asking` is not let go by that alone,
--                           but once it is not in here any more and nobody's consent is missing
-- <base>:asks:<id>   set   whose consent an asking turn still waits for
-- <base>:ready:<user> list of a person's turns that wait for a free slot, oldest first
-- <base>:ring        list of persons with ready turns: the head is next
-- <base>:weights     hash  person -> how many of their turns go in one round of the ring, where it is not one
-- <base>:spent       hash  person -> how many of theirs went in this round, where it goes on
-- <base>:admitted    hash  turn -> user: given to the queue and not settled
-- <base>:under_way   hash  user -> how many of theirs are admitted
-- <base>:slots       hash  worker -> "slots:alive until (s)"
-- <base>:open        zset  turn -> when submitted, or ended without that: not yet delivered
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

-- In how many seconds a rolling bucket will have room for so much; -1 where that is not known.
local function room_in(name, estimate, limit, window_s)
  if window_s == 0 or estimate > limit then return -1 end
  local sum, slices = held(name, window_s), {}
  local all = redis.call('HGETALL', key('rolling', name))
  for i = 1, #all, 2 do slices[#slices + 1] = {tonumber(all[i]), tonumber(all[i + 1])} end
  table.sort(slices, function(a, b) return a[1] < b[1] end)
  for _, slice in ipairs(slices) do
    sum = sum - slice[2]
    if sum + estimate <= limit then
      return math.max(0, (slice[1] + SLICES + 1) * window_s / SLICES - now)
    end
  end
  return -1
end

-- Reserves from buckets that stand in ARGV from `first` on as (bucket, estimate, limit, window_s, life_s)…: from all of
-- them or from none. An estimate below zero gives back. Gives {{bucket, estimate}…}, rolling ones with {…, slice,
-- window_s}; or nil, the bucket that had no room, and in how many seconds it will have.
local function take(first)
  for i = first, #ARGV, 5 do
    local estimate, limit, window_s = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
    if estimate >= 0 and held(ARGV[i], window_s) + estimate > limit then
      return nil, ARGV[i], tostring(room_in(ARGV[i], estimate, limit, window_s))
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

-- What a turn has taken from its buckets, to be settled.
local function note_taken(turn, taken)
  local buckets, counts = {}, {}
  for _, reserved in ipairs(taken) do
    local list = string.sub(reserved[1], 1, 6) == 'turns:' and counts or buckets
    list[#list + 1] = reserved
  end
  redis.call('HSET', key('turn', turn), 'buckets', #buckets > 0 and cjson.encode(buckets) or '[]')
  if #counts > 0 then redis.call('HSET', key('turn', turn), 'counts', cjson.encode(counts)) end
end

-- How many turns may run at once, of "person:chat:server:all"; 0 for no limit.
local function limits_of(text)
  local person, chat, server, house = string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')
  return {person = tonumber(person), chat = tonumber(chat), server = tonumber(server), house = tonumber(house)}
end

-- The chat and the server of a turn; '' where there is none.
local function place_of(turn)
  local found = redis.call('HMGET', key('turn', turn), 'chat', 'server')
  return found[1] or '', found[2] or ''
end

-- How many turns are admitted in each chat and each server: counted anew from what is admitted, so that it cannot drift.
local function running()
  local at = {chat = {}, server = {}}
  for _, turn in ipairs(redis.call('HKEYS', key('admitted'))) do
    local chat, server = place_of(turn)
    at.chat[chat] = (at.chat[chat] or 0) + 1
    at.server[server] = (at.server[server] or 0) + 1
  end
  return at
end

local function is_full(at, what, place, limit)
  return limit > 0 and place ~= '' and (at[what][place] or 0) >= limit
end

local function is_busy(user, limits)
  return limits.person > 0 and tonumber(redis.call('HGET', key('under_way'), user) or '0') >= limits.person
end

-- How many slots there are for turns.
local function slots_of(limits)
  return limits.house > 0 and math.min(capacity(), limits.house) or capacity()
end

-- The first of a person's oldest ready turns whose chat and server have room. `share` is what one chat may have.
local LOOKED_AT = 4
local function next_of(user, at, limits, share)
  for _, turn in ipairs(redis.call('LRANGE', key('ready', user), 0, LOOKED_AT - 1)) do
    local chat, server = place_of(turn)
    if redis.call('EXISTS', key('turn', turn)) == 0 then
      -- One whose record here has expired is nobody's any more.
      redis.call('LREM', key('ready', user), 1, turn)
    elseif not (is_full(at, 'chat', chat, limits.chat) or is_full(at, 'server', server, limits.server)
        or is_full(at, 'chat', chat, share)) then
      return turn, chat, server
    end
  end
end

-- Lets as many ready turns run as there are free slots: one person after the other, each as many in a round as their
-- weight says. A chat that has half of the slots gives way as long as others wait who may run. Whoever is passed over,
-- because they or the places of their turns have enough, keeps their place in the ring. Gives their ids.
local function pump(limits)
  local started = {}
  local slots = slots_of(limits)
  local free = slots - redis.call('HLEN', key('admitted'))
  if free <= 0 or redis.call('LLEN', key('ring')) == 0 then return started end
  local at, share, passed_over = running(), math.ceil(slots / 2), 0
  while free > 0 do
    local user = redis.call('LINDEX', key('ring'), passed_over)
    if not user then
      -- Nobody else may run: then slots do not stay empty for the sake of fairness.
      if share == 0 then break end
      share, passed_over = 0, 0
    else
      local turn, chat, server
      if not is_busy(user, limits) then turn, chat, server = next_of(user, at, limits, share) end
      local goes_on = false
      if turn then
        redis.call('LREM', key('ready', user), 1, turn)
        redis.call('HSET', key('turn', turn), 'state', 'admitted', 'since', tostring(now))
        redis.call('HSET', key('admitted'), turn, user)
        redis.call('HINCRBY', key('under_way'), user, 1)
        at.chat[chat] = (at.chat[chat] or 0) + 1
        at.server[server] = (at.server[server] or 0) + 1
        started[#started + 1] = turn
        free = free - 1
        local weight = tonumber(redis.call('HGET', key('weights'), user) or '1')
        goes_on = weight > 1 and redis.call('HINCRBY', key('spent'), user, 1) < weight
      end
      local has_more = redis.call('LLEN', key('ready', user)) > 0
      if goes_on and has_more then
        redis.call('EXPIRE', key('spent'), 24 * 3600)
      elseif turn or not has_more then
        redis.call('HDEL', key('spent'), user)
        redis.call('LREM', key('ring'), 1, user)
        if has_more then redis.call('RPUSH', key('ring'), user) end
      else
        passed_over = passed_over + 1
      end
    end
  end
  return started
end

-- Who goes before a ready turn, as {user, how many of their oldest}…: its author's own ones first. Nil when it does not
-- stand in the queue. Limits on how many run at once are not looked at.
local function before(turn)
  local user = redis.call('HGET', key('turn', turn), 'user')
  local own = user and redis.call('LPOS', key('ready', user), turn)
  if not own then return nil end
  local function weight_and_spent(who)
    return tonumber(redis.call('HGET', key('weights'), who) or '1'), tonumber(redis.call('HGET', key('spent'), who) or '0')
  end
  local weight, spent = weight_and_spent(user)
  -- In how many rounds of the ring before its own they are passed.
  local rounds = math.floor((own + spent) / weight)
  local found, visits = {{user, own}}, rounds + 1
  for _, other in ipairs(redis.call('LRANGE', key('ring'), 0, -1)) do
    if other == user then
      visits = rounds
    else
      local each, gone = weight_and_spent(other)
      local count = math.min(redis.call('LLEN', key('ready', other)), math.max(0, visits * each - gone))
      if count > 0 then found[#found + 1] = {other, count} end
    end
  end
  return found
end

-- How many ready turns a worker takes up before this one, plus one; 0 when it does not stand in the queue.
local function position(turn)
  local found = before(turn)
  if not found then return 0 end
  local sum = 1
  for _, each in ipairs(found) do sum = sum + each[2] end
  return sum
end
