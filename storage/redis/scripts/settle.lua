-- After a turn's final state: charge what was used, free its place, let its children and the next ones run. Works, too,
-- for a turn that admission never saw, or knows only by the place that it holds.
-- ARGV: turn, limits, ttl_s, cost to charge, 1 when the estimate is charged on top of it, 1 when nothing is charged
-- to the person, 1 when it counts as one turn more, day or '' when nothing is to be booked, model, calls, images, input
-- tokens, output tokens, cost to book
-- Gives the turns to start.
local turn, limits = ARGV[1], limits_of(ARGV[2])
local cost, with_estimate, person_free = tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6] == '1'
local counted, day, model = ARGV[7] == '1', ARGV[8], ARGV[9]
local BOOK_LIFE_S = 400 * 24 * 3600

local function book(figure, amount)
  if amount ~= 0 then redis.call('HINCRBY', key('used', day), figure .. ':' .. model, amount) end
end

local state = redis.call('HGET', key('turn', turn), 'state')

if state ~= 'settled' then
  local user = redis.call('HGET', key('turn', turn), 'user') or redis.call('HGET', key('admitted'), turn)
  local unknown = 0
  for _, reserved in ipairs(cjson.decode(redis.call('HGET', key('turn', turn), 'buckets') or '[]')) do
    local name, estimate = reserved[1], reserved[2]
    local charge = cost + (with_estimate and estimate or 0)
    if person_free and string.sub(name, 1, 7) == 'person:' then charge = 0 end
    correct(reserved, charge)
    if with_estimate then unknown = math.max(unknown, estimate) end
  end
  for _, reserved in ipairs(cjson.decode(redis.call('HGET', key('turn', turn), 'counts') or '[]')) do
    local is_persons = string.sub(reserved[1], 1, 13) == 'turns:person:'
    -- One that counts stays where it was counted: when it was asked for.
    if not counted or (person_free and is_persons) then correct(reserved, 0) end
  end
  if day ~= '' then
    book('turns', 1)
    book('calls', tonumber(ARGV[10]))
    book('images', tonumber(ARGV[11]))
    book('input_tokens', tonumber(ARGV[12]))
    book('output_tokens', tonumber(ARGV[13]))
    book('cost_microusd', tonumber(ARGV[14]) + unknown)
    redis.call('EXPIRE', key('used', day), BOOK_LIFE_S)
  end
  if redis.call('HDEL', key('admitted'), turn) == 1 then
    if redis.call('HINCRBY', key('under_way'), user, -1) <= 0 then
      redis.call('HDEL', key('under_way'), user)
    end
  end
  if user and redis.call('LREM', key('ready', user), 1, turn) == 1 and redis.call('LLEN', key('ready', user)) == 0 then
    redis.call('LREM', key('ring'), 0, user)
    redis.call('HDEL', key('spent'), user)
  end
  local parent = redis.call('HGET', key('turn', turn), 'parent')
  if parent and parent ~= '' then redis.call('SREM', key('kids', parent), turn) end
  -- Kept until its answer is delivered and a little longer: a repeat must find that this is done.
  redis.call('HSET', key('turn', turn), 'state', 'settled')
  redis.call('HDEL', key('turn', turn), 'chat', 'server', 'engine', 'since', 'counts', 'buckets')
  -- Whose it was is asked no more, and so not kept. Emptied, for a version before this one reads it.
  redis.call('HSET', key('turn', turn), 'user', '')
  redis.call('EXPIRE', key('turn', turn), ARGV[3])
  redis.call('DEL', key('asks', turn))
  local kids = redis.call('SMEMBERS', key('kids', turn))
  table.sort(kids, function(a, b)
    return (tonumber(redis.call('ZSCORE', key('open'), a)) or 0) < (tonumber(redis.call('ZSCORE', key('open'), b)) or 0)
  end)
  for _, kid in ipairs(kids) do
    if redis.call('HGET', key('turn', kid), 'state') == 'held' then
      make_ready(kid, redis.call('HGET', key('turn', kid), 'user'))
    end
  end
  redis.call('DEL', key('kids', turn))
end
return pump(limits)
