-- Keeps a new turn. ARGV: own id, created_at, ttl_s, body, state, outcome or '', holder, life_s.
-- Gives {1, ''} when it is new, {0, its state} when it stands already.
if redis.call('EXISTS', turn) == 1 then
  if ended_so(ARGV[6], ARGV[7]) then return {1, ''} end
  return {0, redis.call('HGET', turn, 'state')}
end
redis.call('HSET', turn, 'v', '1', 'body', ARGV[4], 'state', ARGV[5], 'epoch', '0', 'calls', '0',
  'accepted_at', tostring(now))
if ARGV[6] ~= '' then
  redis.call('HSET', turn, 'outcome', ARGV[6])
  fills(ARGV[7], ARGV[8])
end
redis.call('EXPIRE', turn, ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return {1, ''}
