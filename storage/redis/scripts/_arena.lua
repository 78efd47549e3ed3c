-- Shared by the scripts of arenas. They lie in one slot, so that an end is one step.
-- base         prefix of all keys, e.g. rb:{arena}
-- <base>:open             zset  arena -> when it is to end; 0 once it has ended and is not shown so yet
-- <base>:draw:<arena>     1 where its two sides have changed places; drawn once, before its turns are made
-- <base>:votes:<arena>    hash  voter -> choice; gone with the end
-- <base>:voter:<voter>    set   arenas that they have an open vote in
-- <base>:ended:<arena>    hash  choice -> how many
-- <base>:matches          hash  arena -> json [model A, model B, a, b, tie, bad]
-- <base>:when             zset  arena -> when it ended, of those in `matches`
-- <base>:bad              zset  arena -> how many voted both bad
-- <base>:badly            hash  arena -> json [a, b, tie, bad], of those in `bad`
local base = KEYS[1]
local CHOICES = {'a', 'b', 'tie', 'bad'}

local function key(...)
  return table.concat({base, ...}, ':')
end

-- Forgets who voted.
local function drop_votes(arena)
  for _, voter in ipairs(redis.call('HKEYS', key('votes', arena))) do
    redis.call('SREM', key('voter', voter), arena)
  end
  redis.call('DEL', key('votes', arena))
end

-- Keeps of two keys that belong together no more than `most` arenas: those with the highest scores.
local function trim(zset, hash, most)
  local over = redis.call('ZRANGE', key(zset), 0, -most - 1)
  for _, arena in ipairs(over) do
    redis.call('ZREM', key(zset), arena)
    redis.call('HDEL', key(hash), arena)
  end
end
