/** Appends a decision record to the chain, if it was built on the record that is still the last one. */
export const APPEND_DECISION_LUA = `#!lua
-- KEYS[1] tip string, KEYS[2] list of ids, KEYS[3] records by id, KEYS[4] list of the challenger's ids,
--   KEYS[5] summaries by id, KEYS[6] id of the last decision on the climb of each challenger
-- ARGV[1] SHA-256 of the record it was built on, ARGV[2] id, ARGV[3] SHA-256 of the record, ARGV[4] the record,
--   ARGV[5] its summary, ARGV[6] the challenger when it is about its climb, else empty
-- RETURNS 1 when appended, now or by an earlier sending; 0 when another record was faster
if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 1 then return 1 end
local tip = redis.call('GET', KEYS[1]) or string.rep('0', 64)
if tip ~= ARGV[1] then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
redis.call('RPUSH', KEYS[4], ARGV[2])
redis.call('HSET', KEYS[5], ARGV[2], ARGV[5])
if ARGV[6] ~= '' then redis.call('HSET', KEYS[6], ARGV[6], ARGV[2]) end
redis.call('SET', KEYS[1], ARGV[3])
return 1
`;
