/**
 * KEYS  1 requests held of the user (hash)   2, 3 users by when they are due, a clock each (sorted sets)
 *       then for each comparison its counts (hash) and its latencies (list)
 * ARGV  1 user   2 retention in seconds   3 latencies kept
 *       4 JSON: rows [{id, text, parts: [{at, add, latency, memoryMb}]}], drop [id], marks {mark: at}; `at` counts from 1
 * RETURNS how many requests were new. One that is known has no effect, so a batch may be worked off twice.
 */
export const HOLD_LUA = `
local work = cjson.decode(ARGV[4])
local sums, most, new = {}, {}, 0
local function add(at, name, by)
  sums[at] = sums[at] or {}
  sums[at][name] = (sums[at][name] or 0) + by
end
for _, row in ipairs(work.rows) do
  if redis.call('HSETNX', KEYS[1], row.id, row.text) == 1 then
    new = new + 1
    for _, part in ipairs(row.parts) do
      for name, by in pairs(part.add) do add(part.at, name, by) end
      if part.memoryMb then most[part.at] = math.max(most[part.at] or 0, part.memoryMb) end
      redis.call('RPUSH', KEYS[3 + 2 * part.at], part.latency)
    end
  end
end
for _, id in ipairs(work.drop) do
  local text = redis.call('HGET', KEYS[1], id)
  if text then
    redis.call('HDEL', KEYS[1], id)
    for mark in string.gmatch(string.match(text, '^[^\\n]*'), '%S+') do
      if work.marks[mark] then add(work.marks[mark], 'replaced', 1) end
    end
  end
end
for at, names in pairs(sums) do
  local counts, latencies = KEYS[2 + 2 * at], KEYS[3 + 2 * at]
  for name, by in pairs(names) do redis.call('HINCRBYFLOAT', counts, name, string.format('%.17g', by)) end
  if most[at] and most[at] > tonumber(redis.call('HGET', counts, 'memoryMb') or '0') then
    redis.call('HSET', counts, 'memoryMb', string.format('%.17g', most[at]))
  end
  redis.call('LTRIM', latencies, -tonumber(ARGV[3]), -1)
  redis.call('EXPIRE', counts, ARGV[2])
  redis.call('EXPIRE', latencies, ARGV[2])
end
if new > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  for k = 2, 3 do redis.call('ZADD', KEYS[k], 'NX', 0, ARGV[1]) end
end
return new`;

/**
 * KEYS  1 requests held of the user (hash)   2, 3 users by when they are due (sorted sets)
 *       4 users that entered (set)   5 their rows (list)   6 what they were shown (list)   7 counts (hash)
 * ARGV  1 user   2 mark of the comparison   3 retention in seconds   4 outcome   5 the row   6 what was shown, or ''
 *       7 most rows of what was shown   8… request ids
 * RETURNS how many of the requests were held and answered. Twice is the same as once; a user enters once.
 */
export const RELEASE_LUA = `
local outcome, released = ARGV[4], 0
if outcome == 'entered' then
  if redis.call('SADD', KEYS[4], ARGV[1]) == 1 then
    redis.call('RPUSH', KEYS[5], ARGV[5])
    if ARGV[6] ~= '' and redis.call('LLEN', KEYS[6]) < tonumber(ARGV[7]) then
      redis.call('RPUSH', KEYS[6], ARGV[6])
    end
  else
    outcome = 'unheard'
  end
end
for n = 8, #ARGV do
  local text = redis.call('HGET', KEYS[1], ARGV[n])
  if text then
    local cut = string.find(text, '\\n', 1, true)
    local kept = {}
    for mark in string.gmatch(string.sub(text, 1, cut - 1), '%S+') do
      if mark == ARGV[2] then released = released + 1
      elseif mark ~= '-' .. ARGV[2] then kept[#kept + 1] = mark end
    end
    if #kept == 0 then redis.call('HDEL', KEYS[1], ARGV[n])
    else redis.call('HSET', KEYS[1], ARGV[n], table.concat(kept, ' ') .. string.sub(text, cut)) end
  end
end
if outcome ~= 'ended' then
  if released > 0 then
    redis.call('HINCRBY', KEYS[7], 'released', released)
    if outcome ~= 'entered' then redis.call('HINCRBY', KEYS[7], outcome, released) end
  end
  for k = 4, 7 do redis.call('EXPIRE', KEYS[k], ARGV[3]) end
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
return released`;
