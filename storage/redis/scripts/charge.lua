-- Takes from buckets what is used before there is a turn. ARGV: (bucket, estimate, limit, window_s, life_s)…
-- Gives the bucket that had no room, or ''.
local _, full = take(1)
return full or ''
