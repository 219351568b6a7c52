/**
 * Commits one change of the registry, whole or not at all. Runs at the memory limit too: a rollback must
 * never wait for memory, and a change is a few hundred bytes.
 */
export const COMMIT_LUA = `#!lua flags=allow-oom
-- KEYS[1] tip hash, KEYS[2] audit list, KEYS[3] live hash, KEYS[4...] further hashes
-- ARGV[1] SHA-256 of the tip that the change was decided on, ARGV[2] the epoch likewise,
-- ARGV[3] unique id of this commit, ARGV[4] sequence of its first audit entry,
-- ARGV[5] sequence and ARGV[6] SHA-256 of its last, ARGV[7] channel to announce a new epoch on,
-- ARGV[8] number of audit entries, the entries,
--   then writes as triples: index of the hash in KEYS, field, value ("" removes the field)
-- RETURNS 1 when committed, now or by an earlier sending of the same commit; 0 when the registry has moved on
local tip = redis.call('HGET', KEYS[1], 'sha256') or string.rep('0', 64)
local epoch = redis.call('HGET', KEYS[3], 'epoch') or '0'
if tip ~= ARGV[1] or epoch ~= ARGV[2] then
  local line = redis.call('LINDEX', KEYS[2], tonumber(ARGV[4]) - 1)
  if line and string.sub(line, 1, #ARGV[3] + 1) == ARGV[3] .. ' ' then return 1 end
  return 0
end
local entries = tonumber(ARGV[8])
for n = 1, entries do redis.call('RPUSH', KEYS[2], ARGV[3] .. ' ' .. ARGV[8 + n]) end
redis.call('HSET', KEYS[1], 'sequence', ARGV[5], 'sha256', ARGV[6])
for at = 9 + entries, #ARGV, 3 do
  local hash, field, value = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  if value == '' then redis.call('HDEL', hash, field) else redis.call('HSET', hash, field, value) end
end
local moved = redis.call('HGET', KEYS[3], 'epoch') or '0'
if moved ~= epoch then redis.call('PUBLISH', ARGV[7], moved) end
return 1
`;
