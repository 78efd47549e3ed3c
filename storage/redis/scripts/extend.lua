-- More has come for a turn that nobody has ever claimed. ARGV: body, ttl_s. Gives 1, or 0 when it is too late; also
-- where somebody was forgotten since it was submitted: this body may still have their words.
if redis.call('HGET', turn, 'state') ~= 'accepted' or redis.call('HEXISTS', turn, 'rewritten') == 1 then
  return 0
end
redis.call('HSET', turn, 'body', ARGV[1])
redis.call('EXPIRE', turn, ARGV[2])
return 1
