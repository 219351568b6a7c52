/** Reads several hashes at one moment. A script, because MULTI is refused at the memory limit even for reads. */
export const SNAPSHOT_LUA = `#!lua flags=no-writes,allow-oom
-- KEYS hashes
-- RETURNS each hash as a list of fields and values in turn
local hashes = {}
for n, key in ipairs(KEYS) do hashes[n] = redis.call('HGETALL', key) end
return hashes
`;
