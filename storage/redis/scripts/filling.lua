-- The right to fill the reply of a turn that has ended. ARGV: take|seize|keep|leave, holder, life_s.
-- Gives 1, or 0 when it is somebody else's. `seize` takes it from whoever is known to be gone.
if redis.call('EXISTS', turn) == 0 then return 1 end
local what, holder, life_s = ARGV[1], ARGV[2], ARGV[3]
if what == 'take' or what == 'seize' then
  if not FINAL[redis.call('HGET', turn, 'state')] or redis.call('HGET', turn, 'delivered') == '1' then return 0 end
  if what == 'take' and (tonumber(redis.call('HGET', turn, 'filling_until')) or 0) > now then return 0 end
  fills(holder, life_s)
  return 1
end
if redis.call('HGET', turn, 'filling_by') ~= holder then return 0 end
if what == 'keep' then fills(holder, life_s) else redis.call('HDEL', turn, 'filling_by', 'filling_until') end
return 1
