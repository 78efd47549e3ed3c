-- The right to finish a turn. ARGV: life_s. Gives {'gone'} | {'final'} | {'busy'} | {'ok', epoch, calls, body, started, draft or '', accepted or ''}
local LONG_S = 60
if redis.call('EXISTS', turn) == 0 then return {'gone'} end
local state = redis.call('HGET', turn, 'state')
if FINAL[state] then return {'final'} end
local calls = tonumber(redis.call('HGET', turn, 'calls')) or 0
if state == 'running' then
  local silent_s = now - (tonumber(redis.call('HGET', turn, 'alive_until')) or 0)
  -- Another worker holds it and showed life a moment ago: its call may still bring the result that was paid for.
  if silent_s < 0 then return {'busy'} end
  -- Silent for so long, it may have been this server that was away. Then whoever has paid is back in a moment: once
  -- there is time for that, before it is paid for again.
  local held = redis.call('HGET', turn, 'epoch')
  if calls > 0 and silent_s > LONG_S and redis.call('HGET', turn, 'spared') ~= held then
    redis.call('HSET', turn, 'spared', held, 'alive_until', tostring(now + tonumber(ARGV[1])))
    return {'busy'}
  end
end
local epoch = redis.call('HINCRBY', turn, 'epoch', 1)
redis.call('HSET', turn, 'state', 'running', 'alive_until', tostring(now + tonumber(ARGV[1])))
redis.call('HSETNX', turn, 'started_at', tostring(now))
-- Whoever was forgotten by now is not in the body that is given here.
redis.call('HDEL', turn, 'rewritten')
return {'ok', epoch, calls, redis.call('HGET', turn, 'body'),
  redis.call('HGET', turn, 'started_at'), redis.call('HGET', turn, 'draft') or '', redis.call('HGET', turn, 'accepted_at') or ''}
