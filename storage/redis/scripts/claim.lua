-- The right to finish a turn. ARGV: life_s. Gives {'gone'} | {'final'} | {'busy'} | {'ok', epoch, calls, body, started, draft or '', accepted or ''}
if redis.call('EXISTS', turn) == 0 then return {'gone'} end
local state = redis.call('HGET', turn, 'state')
if FINAL[state] then return {'final'} end
-- Another worker holds it and showed life a moment ago: its call may still bring the result that was paid for.
if state == 'running' and (tonumber(redis.call('HGET', turn, 'alive_until')) or 0) > now then
  return {'busy'}
end
local epoch = redis.call('HINCRBY', turn, 'epoch', 1)
redis.call('HSET', turn, 'state', 'running', 'alive_until', tostring(now + tonumber(ARGV[1])))
redis.call('HSETNX', turn, 'started_at', tostring(now))
-- Whoever was forgotten by now is not in the body that is given here.
redis.call('HDEL', turn, 'rewritten')
return {'ok', epoch, tonumber(redis.call('HGET', turn, 'calls')), redis.call('HGET', turn, 'body'),
  redis.call('HGET', turn, 'started_at'), redis.call('HGET', turn, 'draft') or '', redis.call('HGET', turn, 'accepted_at') or ''}
