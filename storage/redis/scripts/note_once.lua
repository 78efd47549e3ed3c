-- ARGV: what. Gives 1 the first time. Of a turn that is not there nothing is noted: it would stay for good.
if redis.call('EXISTS', turn) == 0 then return 0 end
return redis.call('HSETNX', turn, 'noted:' .. ARGV[1], '1')
