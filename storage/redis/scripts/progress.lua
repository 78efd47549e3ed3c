-- The holder of a turn shows life. ARGV: epoch, life_s, the ticket of a paid call that begins now or ''.
-- Gives 1, or 0 when the turn is no longer theirs.
if not ours(ARGV[1]) then return 0 end
redis.call('HSET', turn, 'alive_until', tostring(now + tonumber(ARGV[2])))
-- The same ticket once more: the answer to the first was lost.
if ARGV[3] ~= '' and redis.call('HGET', turn, 'ticket') ~= ARGV[3] then
  redis.call('HINCRBY', turn, 'calls', 1)
  redis.call('HSET', turn, 'ticket', ARGV[3])
end
return 1
