-- ARGV: arena, voter, choice, most voters, life of votes (s). Gives how many have voted; -1 once it has ended or is full.
local arena, voter = ARGV[1], ARGV[2]
local votes = key('votes', arena)
if redis.call('EXISTS', key('ended', arena)) == 1 then return -1 end
local is_new = redis.call('HEXISTS', votes, voter) == 0
if is_new and redis.call('HLEN', votes) >= tonumber(ARGV[4]) then return -1 end
redis.call('HSET', votes, voter, ARGV[3])
redis.call('EXPIRE', votes, ARGV[5])
redis.call('SADD', key('voter', voter), arena)
redis.call('EXPIRE', key('voter', voter), ARGV[5])
return redis.call('HLEN', votes)
