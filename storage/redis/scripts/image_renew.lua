-- An image that is used lives on, all that belongs to it with it; unless it was used a short while ago, as its TTL
-- tells. KEYS: facts, holders, renditions. ARGV: retention_s, how short a while (s)
-- Gives its renditions, which live on with it; none where nothing was renewed.
if redis.call('TTL', KEYS[1]) > tonumber(ARGV[1]) - tonumber(ARGV[2]) then return {} end
for _, each in ipairs(KEYS) do redis.call('EXPIRE', each, ARGV[1]) end
return redis.call('HVALS', KEYS[3])
