-- Erasure takes words out of a turn. ARGV: the body as it was read, the body without them.
-- Gives 1, or 0 when the body is another one by now: to be read again.
if redis.call('HGET', turn, 'body') ~= ARGV[1] then return 0 end
redis.call('HSET', turn, 'body', ARGV[2])
-- Whoever holds the turn read it before, and must not write the words back.
if not FINAL[redis.call('HGET', turn, 'state')] then redis.call('HSET', turn, 'rewritten', '1') end
return 1
