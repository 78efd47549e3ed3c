-- ARGV: turn (20 bytes), its rows one after the other, without the turn (34 bytes each); again…
for i = 1, #ARGV, 2 do
  local turn, rows = ARGV[i], ARGV[i + 1]
  local had, has = {}, {}
  for place in string.gmatch(redis.call('HGET', places_of(turn), turn) or '', '%d+') do had[#had + 1] = place end
  for n = 1, #rows / 34 do
    local place = had[n] or new_place()
    local row = string.sub(rows, n * 34 - 33, n * 34)
    write(tonumber(place), string.sub(row, 1, 32) .. turn .. string.sub(row, 33))
    has[n] = string.format('%d', place)
  end
  for n = #has + 1, #had do free(tonumber(had[n])) end
  if #has > 0 then
    redis.call('HSET', places_of(turn), turn, table.concat(has, ' '))
  else
    redis.call('HDEL', places_of(turn), turn)
  end
end
tell()
