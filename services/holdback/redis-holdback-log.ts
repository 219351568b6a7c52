import type { Redis } from "ioredis";
import { samplePlace } from "../../models/gate/request-sample.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import type { HeldList, HoldbackLog, HoldbackStatus, OpenRound } from "./types.ts";

/** Bound on users who wait at once: some 50 MB at twenty lists of ten items. */
const MOST_USERS = 10_000;

const KEYS = {
  waiting: "holdback:waiting",
  counted: "holdback:counted",
  users: "holdback:users",
  state: "holdback:state",
} as const;

/**
 * KEYS  1 lists that wait, by user (hash)   2 users counted in this round (set)
 * ARGV  1 user   2 the list as JSON   3 its place   4 lists of a user   5 most users
 * RETURNS 1 when the list was kept, 0 when the user was counted, the sample holds smaller places, or too many wait
 */
const REMEMBER_LUA = `
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 0 end
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return 0 end
local held = text and cjson.decode(text) or {}
local largest = 0
for i = 1, #held do
  if held[i][2] == ARGV[2] then return 0 end
  if largest == 0 or held[i][1] > held[largest][1] then largest = i end
end
local entry = {tonumber(ARGV[3]), ARGV[2]}
if #held < tonumber(ARGV[4]) then held[#held + 1] = entry
elseif entry[1] < held[largest][1] then held[largest] = entry
else return 0 end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(held))
return 1`;

/**
 * KEYS  1 lists that wait, by user (hash)   2 users counted in this round (set)   3 rows of the round (list)
 * ARGV  for each user: the user, the row as JSON
 * RETURNS how many were new
 */
const ENTER_LUA = `
local added = 0
for i = 1, #ARGV, 2 do
  redis.call('HDEL', KEYS[1], ARGV[i])
  if redis.call('SADD', KEYS[2], ARGV[i]) == 1 then
    redis.call('RPUSH', KEYS[3], ARGV[i + 1])
    added = added + 1
  end
end
return added`;

export function redisHoldbackLog(redis: Redis): HoldbackLog {
  const remember = luaScript(redis, REMEMBER_LUA);
  const enter = luaScript(redis, ENTER_LUA);
  const field = async <T>(name: string): Promise<T | null> => {
    const text = await fromStore("read holdback", redis.hget(KEYS.state, name));
    return text === null ? null : (JSON.parse(text) as T);
  };
  return {
    remember: async (list, size) => {
      const place = samplePlace(list.requestId);
      const args = [list.userId, JSON.stringify(list), place, size, MOST_USERS];
      await toStore("remember a held list", remember([KEYS.waiting, KEYS.counted], args));
    },
    waiting: async () => {
      const fields = await fromStore("read holdback", redis.hgetall(KEYS.waiting));
      const listsOf = (text: string): HeldList[] =>
        (JSON.parse(text) as [number, string][]).map(([, list]) => JSON.parse(list) as HeldList);
      return new Map(Object.entries(fields).map(([user, text]) => [user, listsOf(text)]));
    },
    round: () => field<OpenRound>("round"),
    begin: async (round) => {
      const beginning = redis
        .multi()
        .hset(KEYS.state, { round: JSON.stringify(round) })
        .del(KEYS.waiting, KEYS.counted, KEYS.users);
      await toStore("begin a round of the holdback", beginning.exec());
    },
    enter: async (users) => {
      if (users.length === 0) return;
      const rows = users.flatMap(({ userId, arm, figure }) => [userId, JSON.stringify({ arm, figure })]);
      await toStore("enter held users", enter([KEYS.waiting, KEYS.counted, KEYS.users], rows));
    },
    users: async () => {
      const rows = await fromStore("read holdback", redis.lrange(KEYS.users, 0, -1));
      return rows.map((text) => JSON.parse(text));
    },
    put: async (status) => {
      await toStore("keep holdback", redis.hset(KEYS.state, { status: JSON.stringify(status) }));
    },
    status: () => field<HoldbackStatus>("status"),
  };
}
