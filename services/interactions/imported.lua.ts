import { CHANGED_LUA, EVERYBODY } from "./changed-histories.ts";
import { REMEMBER_LUA } from "./seen-filter.ts";

/** Makes the imported part of some users' histories what an import says; what users did live stays, after it. */
export const IMPORTED_LUA = `#!lua
-- KEYS[1] latest recorded times, KEYS[2] changed histories, then for each user: the history, and the filter of what was seen before
-- ARGV[1] longest history, ARGV[2] latest timestamp, ARGV[3] recorded times kept, then for each user: the entries
--   without their sequence, a line each
-- RETURNS entries written
${REMEMBER_LUA}
${CHANGED_LUA}
local longest, written = tonumber(ARGV[1]), 0
local MARK = ',null,1]'
for k = 3, #KEYS, 2 do
  local history, seen = KEYS[k], KEYS[k + 1]
  local lines = {}
  for line in string.gmatch(ARGV[(k - 1) / 2 + 3], '[^\\n]+') do lines[#lines + 1] = line end
  local live = {}
  for _, stored in ipairs(redis.call('LRANGE', history, 0, -1)) do
    local entry = string.match(stored, '^%d+ (.*)$')
    if string.sub(entry, -#MARK) ~= MARK then live[#live + 1] = entry end
  end
  if #live > 0 then
    -- An export holds what was fed back before it: the same item at the same time is one event.
    local known = {}
    for _, line in ipairs(lines) do known[string.match(line, '^(.*),[^,]*,null,1%]$')] = true end
    for _, entry in ipairs(live) do
      if not known[string.match(entry, '^(.*),[^,]*,[^,]*%]$')] then lines[#lines + 1] = entry end
    end
  else
    redis.call('DEL', seen)
  end
  redis.call('DEL', history)
  local batch, first = {}, math.max(1, #lines - longest + 1)
  for n, line in ipairs(lines) do
    if n < first then
      remember(seen, line)
    else
      batch[#batch + 1] = string.format('%d %s', n, line)
    end
    -- Lua passes a few thousand arguments at most.
    if #batch == 1000 or (n == #lines and #batch > 0) then
      redis.call('RPUSH', history, unpack(batch))
      batch = {}
    end
  end
  written = written + #lines
end
local now = tonumber(redis.call('TIME')[1]) * 1000
noteChanged(KEYS[2], {'${EVERYBODY}'}, now)
-- The clock of recorded events stands where the import ends, and never in the future.
if tonumber(ARGV[2]) <= now then
  redis.call('LPUSH', KEYS[1], ARGV[2])
  redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[3]) - 1)
end
return written
`;
