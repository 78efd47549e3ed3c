-- The commit. ARGV: epoch, state, outcome, body. Gives 1, or 0 when the turn is no longer theirs.
if not ours(ARGV[1]) then return 0 end
redis.call('HSET', turn, 'state', ARGV[2], 'outcome', ARGV[3])
keep_body(ARGV[4])
redis.call('HDEL', turn, 'alive_until', 'rewritten')
return 1
