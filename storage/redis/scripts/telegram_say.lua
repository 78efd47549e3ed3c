-- What a message says. KEYS: what was noted of it. ARGV: a hash of the words, their version, life_s.
-- Gives the version since which it says so.
local hash, version = string.match(redis.call('GET', KEYS[1]) or '', '^(.+)@(%d+)$')
if hash ~= ARGV[1] then version = ARGV[2] end
redis.call('SET', KEYS[1], ARGV[1] .. '@' .. version, 'EX', ARGV[3])
return version
