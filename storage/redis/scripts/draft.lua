-- Keeps what paid calls have brought so far. ARGV: epoch, life_s, body, draft.
-- Gives 1, or 0 when the turn is no longer theirs.
if not ours(ARGV[1]) then return 0 end
redis.call('HSET', turn, 'draft', ARGV[4], 'calls', '0', 'alive_until', tostring(now + tonumber(ARGV[2])))
keep_body(ARGV[3])
return 1
