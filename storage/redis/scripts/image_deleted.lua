-- An image that nobody held is deleted, with what was rendered from it. KEYS: image, renditions, going.
redis.call('DEL', KEYS[3])
-- Somebody who holds it since then may have renditions of their own.
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) end
