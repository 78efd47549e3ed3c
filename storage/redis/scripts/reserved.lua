-- What buckets hold now. ARGV: (bucket, window_s)… Gives an amount for each.
local amounts = {}
for i = 1, #ARGV, 2 do
  amounts[#amounts + 1] = held(ARGV[i], tonumber(ARGV[i + 1]))
end
return amounts
