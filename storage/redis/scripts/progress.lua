-- The holder of a turn shows life. ARGV: epoch, life_s, 1 when a paid call begins now.
-- Gives 1, or 0 when the turn is no longer theirs.
if not ours(ARGV[1]) then return 0 end
redis.call('HSET', turn, 'alive_until', tostring(now + tonumber(ARGV[2])))
if ARGV[3] == '1' then redis.call('HINCRBY', turn, 'calls', 1) end
return 1
