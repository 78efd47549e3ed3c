-- Its pictures are gone. ARGV: arena.
drop_votes(ARGV[1])
redis.call('DEL', key('ended', ARGV[1]), key('draw', ARGV[1]))
for _, zset in ipairs({'open', 'when', 'bad'}) do redis.call('ZREM', key(zset), ARGV[1]) end
for _, hash in ipairs({'matches', 'badly'}) do redis.call('HDEL', key(hash), ARGV[1]) end
return 1
