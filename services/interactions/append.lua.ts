import { CHANGED_LUA } from "./changed-histories.ts";
import { REMEMBER_LUA } from "./seen-filter.ts";

/** Appends a batch of events, all or nothing. Refused as a whole, before it starts, at the memory limit. */
export const APPEND_LUA = `#!lua
-- KEYS[1] stream, KEYS[2] the live clock, KEYS[3] latest recorded times, KEYS[4] erased users, KEYS[5] changed histories,
--   then for each event: its id's key, its user's history, the filter of what he had seen before, and his count of events
-- ARGV[1] window of known ids in milliseconds, ARGV[2] longest history, ARGV[3] age in milliseconds from which an
--   event is a recorded one, ARGV[4] recorded times kept, ARGV[5] most events of a user within a day, then for each
--   event: what its id remembers (the hash of its body, 16 characters, and what undo.ts needs), its JSON, its history entry
--   without the sequence (empty for none), its timestamp, the digest of its user
-- RETURNS {accepted, duplicates, 0, erased}, where so many happened before their users were erased, or {0, 0, n} when event n (from 1) reuses an id with another body, or
--   {0, 0, -n, s} when it is one too many of its user until s seconds have passed
${REMEMBER_LUA}
${CHANGED_LUA}
local windowMs, longest, mostADay = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[5])
local count, erased = (#KEYS - 5) / 4, 0
local anyErased = redis.call('EXISTS', KEYS[4]) == 1
local fresh, hashOf, taken = {}, {}, {}
for n = 1, count do
  local idKey, hash = KEYS[4 * n + 2], string.sub(ARGV[5 * n + 1], 1, 16)
  local known = hashOf[idKey] or redis.call('GET', idKey)
  local erasedAt = anyErased and not known and redis.call('HGET', KEYS[4], ARGV[5 * n + 5])
  if erasedAt and tonumber(ARGV[5 * n + 4]) <= tonumber(erasedAt) then
    erased = erased + 1
  elseif not known then
    fresh[#fresh + 1] = n
    hashOf[idKey] = hash
    local ofUser = KEYS[4 * n + 5]
    taken[ofUser] = (taken[ofUser] or tonumber(redis.call('GET', ofUser) or '0')) + 1
    if taken[ofUser] > mostADay then return {0, 0, -n, redis.call('TTL', ofUser)} end
  elseif string.sub(known, 1, 16) ~= hash then
    return {0, 0, n}
  else
    hashOf[idKey] = known
  end
end

for ofUser, events in pairs(taken) do
  redis.call('SET', ofUser, events, 'KEEPTTL')
  redis.call('EXPIRE', ofUser, 86400, 'NX')
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local changed = {}
local live, since, moved = tonumber(redis.call('HGET', KEYS[2], 'at')), tonumber(redis.call('HGET', KEYS[2], 'since')), false
for _, n in ipairs(fresh) do
  local idKey, history, seen = KEYS[4 * n + 2], KEYS[4 * n + 3], KEYS[4 * n + 4]
  local memory, event, entry, timestamp = ARGV[5 * n + 1], ARGV[5 * n + 2], ARGV[5 * n + 3], tonumber(ARGV[5 * n + 4])
  redis.call('SET', idKey, memory, 'PX', windowMs)
  redis.call('XADD', KEYS[1], '*', 'event', event)
  if entry ~= '' then
    changed[#changed + 1] = ARGV[5 * n + 5]
    local last = redis.call('LINDEX', history, -1)
    local sequence = last and tonumber(string.match(last, '^%d+')) or 0
    if redis.call('RPUSH', history, string.format('%d %s', sequence + 1, entry)) > longest then
      remember(seen, string.match(redis.call('LPOP', history), '^%d+ (.*)$'))
    end
  end
  if timestamp < now - tonumber(ARGV[3]) then
    redis.call('LPUSH', KEYS[3], ARGV[5 * n + 4])
    redis.call('LTRIM', KEYS[3], 0, tonumber(ARGV[4]) - 1)
  else
    -- A clock that runs ahead, a client's or a replica's, moves nothing beyond the present.
    local at = math.min(timestamp, now)
    if not live or at > live then live, moved = at, true end
    if not since or at < since then since, moved = at, true end
  end
end
if moved then redis.call('HSET', KEYS[2], 'at', string.format('%.0f', live), 'since', string.format('%.0f', since)) end
noteChanged(KEYS[5], changed, now)
return {#fresh, count - #fresh - erased, 0, erased}
`;
