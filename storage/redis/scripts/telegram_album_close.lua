-- An album is handed over. KEYS: the album. ARGV: anchor, life_s, the items that go along. Gives it as it stands.
-- What went along is added to what did before: whoever closes it at the same time takes nothing back.
redis.call('HSETNX', KEYS[1], 'anchor', ARGV[1])
for i = 3, #ARGV do redis.call('HSET', KEYS[1], 'handed:' .. ARGV[i], '1') end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
