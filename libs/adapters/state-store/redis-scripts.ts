import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly source: string;
  /** What EVALSHA names it by. */
  readonly sha: string;
}

/*
 * Every script has the two keys of one partition, which share a hash tag and so a slot of Redis Cluster:
 *   KEYS[1]  a string: tip, blank, number of fields of the hash, blank, checkpoint as JSON
 *   KEYS[2]  a hash: the state
 * The number tells a hash that was lost or restored without its checkpoint: such a pair is `torn` and stands for no tip.
 */
const STORED_TIP = `
local function storedTip()
  local stored = redis.call('GET', KEYS[1])
  if not stored then return '', nil end
  local tip, fields = string.match(stored, '^(%S+) (%d+) ')
  if tonumber(fields) ~= redis.call('HLEN', KEYS[2]) then return 'torn', nil end
  return tip, stored
end
`;

/**
 * ARGV: keys of state. Answers {tip ('' where nothing is stored), then for each key that has a value its number from 0 on, and the value}:
 * most that tax asks for are ids of events that nobody has seen, and an answer for each took longer to read than to ask.
 */
export const GET_SCRIPT = script(`${STORED_TIP}
local answer = { (storedTip()) }
local places = 1
for first = 1, #ARGV, 4000 do
  local values = redis.call('HMGET', KEYS[2], unpack(ARGV, first, math.min(first + 3999, #ARGV)))
  for at = 1, #values do
    if values[at] then
      answer[places + 1] = first + at - 2
      answer[places + 2] = values[at]
      places = places + 2
    end
  end
end
return answer
`);

/** Answers {tip, checkpoint as JSON or nil}. */
export const CHECKPOINT_SCRIPT = script(`${STORED_TIP}
local tip, stored = storedTip()
return { tip, stored and string.match(stored, '^%S+ %d+ (.*)$') }
`);

/**
 * ARGV: expected tip ('' for nothing), new tip, checkpoint as JSON, number n of values, then n keys and values by turns, then keys to
 * remove. All or nothing: whatever can fail is asked before the first write.
 */
export const COMMIT_SCRIPT = script(`${STORED_TIP}
local tip = storedTip()
if tip ~= ARGV[1] then return 'stale' end
if tip == '' then redis.call('UNLINK', KEYS[2]) end
local ends = 4 + 2 * tonumber(ARGV[4])
for first = 5, ends, 4000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + 3999, ends)))
end
for first = ends + 1, #ARGV, 4000 do
  redis.call('HDEL', KEYS[2], unpack(ARGV, first, math.min(first + 3999, #ARGV)))
end
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. redis.call('HLEN', KEYS[2]) .. ' ' .. ARGV[3])
return 'committed'
`);

/** Unlinks: the memory is freed behind the answer, however much it is, and both keys go in one step or not at all. */
export const WIPE_SCRIPT = script(`return redis.call('UNLINK', KEYS[1], KEYS[2])`);

function script(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
