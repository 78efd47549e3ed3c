-- Shared by the scripts of a thread's slot. KEYS[1] is the hash of one turn, KEYS[2] its thread's list.
local turn = KEYS[1]
local FINAL = {asking = true, done = true, refused = true, failed = true, cancelled = true}
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6

local function ours(epoch)
  return redis.call('HGET', turn, 'epoch') == epoch and not FINAL[redis.call('HGET', turn, 'state')]
end

-- Whoever ends a turn fills its reply, and so long nobody else.
local function fills(holder, life_s)
  redis.call('HSET', turn, 'filling_by', holder, 'filling_until', tostring(now + tonumber(life_s)))
end

-- Whether this very end was written by this very process, and its answer lost.
local function ended_so(outcome, holder)
  local stands = redis.call('HMGET', turn, 'outcome', 'filling_by')
  return stands[1] == outcome and stands[2] == holder
end

-- The turn as its holder resolved it; unless somebody was forgotten since the claim, for then the holder's copy may
-- still have their words, and what stands is kept.
local function keep_body(body)
  if redis.call('HEXISTS', turn, 'rewritten') == 0 then redis.call('HSET', turn, 'body', body) end
end
