-- The commit. ARGV: epoch, state, outcome, body, holder, life_s. Gives 1, or 0 when the turn is no longer theirs.
if not ours(ARGV[1]) then
  -- The same once more: the answer to the first was lost.
  local stands = redis.call('HMGET', turn, 'epoch', 'state', 'outcome')
  return (stands[1] == ARGV[1] and stands[2] == ARGV[2] and stands[3] == ARGV[3]) and 1 or 0
end
redis.call('HSET', turn, 'state', ARGV[2], 'outcome', ARGV[3])
keep_body(ARGV[4])
redis.call('HDEL', turn, 'alive_until', 'rewritten')
fills(ARGV[5], ARGV[6])
return 1
