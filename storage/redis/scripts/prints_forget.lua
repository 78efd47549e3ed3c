-- ARGV: turns, 20 bytes each.
for _, turn in ipairs(ARGV) do
  for place in string.gmatch(redis.call('HGET', places_of(turn), turn) or '', '%d+') do free(tonumber(place)) end
  redis.call('HDEL', places_of(turn), turn)
end
tell()
