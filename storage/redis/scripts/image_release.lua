-- A holder lets go of an image; '' for a sweep, which is no holder.
-- KEYS: image, holders, renditions, going. ARGV: holder, how long a deletion may take at most (s).
-- Gives nothing while somebody holds it; or what was rendered from it, as JSON each, and from now on it is being deleted:
-- whoever holds it after this waits until that is done, and then stores it. What was rendered from it stays known until
-- then (image_deleted.lua): whoever is killed in between is gone on with, and finds it.
if ARGV[1] ~= '' then
  redis.call('SREM', KEYS[2], ARGV[1])
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  return false
end
if redis.call('SCARD', KEYS[2]) > 0 then return false end
local made = redis.call('HVALS', KEYS[3])
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SET', KEYS[4], '1', 'EX', ARGV[2])
return made
