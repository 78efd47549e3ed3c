-- More has come for a turn that nobody has ever claimed. ARGV: the body as it was read, the body with it, ttl_s.
-- Gives {1, ''}; {0, ''} when it is too late, also where somebody was forgotten since it was submitted: this body may
-- still have their words; {0, the body} when it is another by now: to be done again.
if redis.call('HGET', turn, 'state') ~= 'accepted' or redis.call('HEXISTS', turn, 'rewritten') == 1 then
  return {0, ''}
end
local body = redis.call('HGET', turn, 'body')
if body ~= ARGV[1] then return {0, body} end
redis.call('HSET', turn, 'body', ARGV[2])
redis.call('EXPIRE', turn, ARGV[3])
return {1, ''}
