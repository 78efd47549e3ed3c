-- After a turn's final state: charge what was used, free its place, let its children and the next ones run. Works, too,
-- for a turn that admission never saw, or knows only by the place that it holds.
-- ARGV: turn, author_limit, charge to the person (-1: the estimate), charge to the house (-1: the estimate)
-- Gives the turns to start.
local turn, author_limit = ARGV[1], tonumber(ARGV[2])
local state = redis.call('HGET', key('turn', turn), 'state')

if state ~= 'settled' then
  local user = redis.call('HGET', key('turn', turn), 'user') or redis.call('HGET', key('admitted'), turn)
  for _, pair in ipairs(cjson.decode(redis.call('HGET', key('turn', turn), 'buckets') or '[]')) do
    local name, estimate = pair[1], pair[2]
    local charge = tonumber(string.sub(name, 1, 7) == 'person:' and ARGV[3] or ARGV[4])
    if charge >= 0 and redis.call('EXISTS', key('bucket', name)) == 1 then
      redis.call('INCRBY', key('bucket', name), charge - estimate)
    end
  end
  if redis.call('HDEL', key('admitted'), turn) == 1 then
    if redis.call('HINCRBY', key('under_way'), user, -1) <= 0 then
      redis.call('HDEL', key('under_way'), user)
    end
  end
  if user and redis.call('LREM', key('ready', user), 1, turn) == 1 and redis.call('LLEN', key('ready', user)) == 0 then
    redis.call('LREM', key('ring'), 0, user)
  end
  local parent = redis.call('HGET', key('turn', turn), 'parent')
  if parent and parent ~= '' then redis.call('SREM', key('kids', parent), turn) end
  -- Kept for an hour, so that a late repeat of its submission, or a child on its way in, finds it.
  redis.call('HSET', key('turn', turn), 'state', 'settled')
  redis.call('EXPIRE', key('turn', turn), HOUR_S)
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
return pump(author_limit)
