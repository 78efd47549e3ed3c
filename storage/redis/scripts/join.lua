-- Somebody uses a code. KEYS: the invitation, the list of who is allowed, that person's wrong tries, the news.
-- ARGV: person, entry, most tries, their window (s), life of the news (s).
-- Gives "in", "already", "wrong" or "slow". Whoever is in already uses nothing up; a wrong code counts as a try.
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 'already' end
if tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[3]) then return 'slow' end
if tonumber(redis.call('HGET', KEYS[1], 'left') or '0') < 1 then
  redis.call('INCR', KEYS[3])
  redis.call('EXPIRE', KEYS[3], ARGV[4])
  return 'wrong'
end
if redis.call('HINCRBY', KEYS[1], 'left', -1) < 1 then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('XADD', KEYS[4], 'MAXLEN', 16, '*', 'v', '1')
redis.call('EXPIRE', KEYS[4], ARGV[5])
return 'in'
