-- ARGV: turn, author_limit. Gives {state or '', position, 1 when its author has as many under way as allowed,
-- 1 when its parent is not finished}.
local state = redis.call('HGET', key('turn', ARGV[1]), 'state')
if not state then return {'', 0, 0, 0} end
local user = redis.call('HGET', key('turn', ARGV[1]), 'user')
local busy = tonumber(redis.call('HGET', key('under_way'), user) or '0')
return {state, position(ARGV[1]), busy >= tonumber(ARGV[2]) and 1 or 0, parent_holds(ARGV[1]) and 1 or 0}
