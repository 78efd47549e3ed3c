-- ARGV: turn, limits. Gives {state or '', position, what keeps a ready one ('author' | 'chat' | 'server' | 'slot'),
-- 1 when its parent is not finished}.
local turn, limits = ARGV[1], limits_of(ARGV[2])
local state = redis.call('HGET', key('turn', turn), 'state')
if not state then return {'', 0, '', 0} end
local keeps = ''
if state == 'ready' then
  local chat, server = place_of(turn)
  local at = running()
  if is_busy(redis.call('HGET', key('turn', turn), 'user'), limits) then
    keeps = 'author'
  elseif is_full(at, 'chat', chat, limits.chat) then
    keeps = 'chat'
  elseif is_full(at, 'server', server, limits.server) then
    keeps = 'server'
  else
    keeps = 'slot'
  end
end
return {state, position(turn), keeps, parent_holds(turn) and 1 or 0}
