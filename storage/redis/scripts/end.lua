-- Ends a turn that is not finished, and takes it from whoever holds it. ARGV: outcome, state, holder, life_s. Gives 1, or 0.
local state = redis.call('HGET', turn, 'state')
if not state then return 0 end
if FINAL[state] then return ended_so(ARGV[1], ARGV[3]) and 1 or 0 end
redis.call('HINCRBY', turn, 'epoch', 1)
redis.call('HSET', turn, 'state', ARGV[2], 'outcome', ARGV[1])
redis.call('HDEL', turn, 'alive_until', 'rewritten')
fills(ARGV[3], ARGV[4])
return 1
