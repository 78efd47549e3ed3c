-- Keeps what paid calls have brought so far. ARGV: epoch, life_s, body, draft.
-- Gives 1, or 0 when the turn is no longer theirs.
if not ours(ARGV[1]) then return 0 end
redis.call('HSET', turn, 'body', ARGV[3], 'draft', ARGV[4], 'calls', '0',
  'alive_until', tostring(now + tonumber(ARGV[2])))
redis.call('HDEL', turn, 'calling_until')
return 1
