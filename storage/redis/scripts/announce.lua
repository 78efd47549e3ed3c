-- A worker shows that it lives. ARGV: worker, slots, life_s, limits. Gives the turns to start.
if tonumber(ARGV[2]) > 0 then
  redis.call('HSET', key('slots'), ARGV[1], ARGV[2] .. ':' .. tostring(now + tonumber(ARGV[3])))
else
  redis.call('HDEL', key('slots'), ARGV[1])
end
return pump(limits_of(ARGV[4]))
