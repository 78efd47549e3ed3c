-- The album that a message belongs to. KEYS: its group's name. ARGV: what the names of albums in this chat begin with.
-- Gives {group, the album}, {} where there is none.
local group = redis.call('GET', KEYS[1])
if not group then return {} end
return {group, redis.call('HGETALL', ARGV[1] .. group)}
