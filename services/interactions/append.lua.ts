/** Appends a batch of events, all or nothing. Refused as a whole, before it starts, at the memory limit. */
export const APPEND_LUA = `#!lua
-- KEYS[1] stream, KEYS[2] watermark, then for each event: its id's key, its user's history, and the items
--   that the history has forgotten
-- ARGV[1] window of known ids in milliseconds, ARGV[2] longest history, then for each event:
--   hash of its body, its JSON, its history entry without the sequence (empty for none), its timestamp
-- RETURNS {accepted, duplicates, 0}, or {0, 0, n} when event n (from 1) reuses an id with another body
local windowMs, longest = ARGV[1], tonumber(ARGV[2])
local count = (#KEYS - 2) / 3
local fresh, hashOf = {}, {}
for n = 1, count do
  local idKey, hash = KEYS[3 * n], ARGV[4 * n - 1]
  local known = hashOf[idKey] or redis.call('GET', idKey)
  if not known then
    fresh[#fresh + 1] = n
    hashOf[idKey] = hash
  elseif known ~= hash then
    return {0, 0, n}
  else
    hashOf[idKey] = known
  end
end

local watermark = redis.call('GET', KEYS[2])
local latest = watermark
for _, n in ipairs(fresh) do
  local idKey, history, older = KEYS[3 * n], KEYS[3 * n + 1], KEYS[3 * n + 2]
  local hash, event, entry, timestamp = ARGV[4 * n - 1], ARGV[4 * n], ARGV[4 * n + 1], ARGV[4 * n + 2]
  redis.call('SET', idKey, hash, 'PX', windowMs)
  redis.call('XADD', KEYS[1], '*', 'event', event)
  if entry ~= '' then
    local last = redis.call('LINDEX', history, -1)
    local sequence = last and tonumber(string.match(last, '^%d+')) or 0
    if redis.call('RPUSH', history, string.format('%d %s', sequence + 1, entry)) > longest then
      local dropped = string.match(redis.call('LPOP', history), '^%d+ (.*)$')
      redis.call('SADD', older, cjson.decode(dropped)[1])
    end
  end
  if not latest or tonumber(timestamp) > tonumber(latest) then latest = timestamp end
end
if latest ~= watermark then redis.call('SET', KEYS[2], latest) end
return {#fresh, count - #fresh, 0}
`;
