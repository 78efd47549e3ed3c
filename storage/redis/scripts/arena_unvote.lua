-- Somebody's votes that are still open are taken back. ARGV: voter.
for _, arena in ipairs(redis.call('SMEMBERS', key('voter', ARGV[1]))) do
  redis.call('HDEL', key('votes', arena), ARGV[1])
end
redis.call('DEL', key('voter', ARGV[1]))
return 1
