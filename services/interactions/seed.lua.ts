/** Adds one chunk of past events to the histories, once: the progress of the seeding is its idempotency key. */
export const SEED_LUA = `#!lua
-- KEYS[1] progress hash, KEYS[2] watermark, then for each user: the history, and the items that it has forgotten
-- ARGV[1] events seeded before this chunk, ARGV[2] events in it, ARGV[3] longest history, ARGV[4] latest timestamp,
--   then for each history: number of entries, the entries without their sequence
-- RETURNS {events seeded by now, events added by this call}: the latter is 0 when another process was faster
local done = tonumber(redis.call('HGET', KEYS[1], 'events') or '0')
if done ~= tonumber(ARGV[1]) then return {done, 0} end
local longest = tonumber(ARGV[3])
local at = 5
for k = 3, #KEYS, 2 do
  local last = redis.call('LINDEX', KEYS[k], -1)
  local sequence = last and tonumber(string.match(last, '^%d+')) or 0
  local entries, length, lines = tonumber(ARGV[at]), 0, {}
  for n = 1, entries do
    lines[#lines + 1] = string.format('%d %s', sequence + n, ARGV[at + n])
    -- Lua passes a few thousand arguments at most.
    if #lines == 1000 or n == entries then
      length = redis.call('RPUSH', KEYS[k], unpack(lines))
      lines = {}
    end
  end
  if length > longest then
    for _, line in ipairs(redis.call('LPOP', KEYS[k], length - longest)) do
      redis.call('SADD', KEYS[k + 1], cjson.decode(string.match(line, '^%d+ (.*)$'))[1])
    end
  end
  at = at + entries + 1
end
local watermark = redis.call('GET', KEYS[2])
if not watermark or tonumber(ARGV[4]) > tonumber(watermark) then redis.call('SET', KEYS[2], ARGV[4]) end
return {redis.call('HINCRBY', KEYS[1], 'events', ARGV[2]), tonumber(ARGV[2])}
`;
