import type { Redis } from "ioredis";
import { samplePlace } from "../../models/gate/request-sample.ts";
import { appendOnce, EVIDENCE_RETENTION_SECONDS } from "../append-once.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import type {
  CreditedUser,
  InterleavedList,
  InterleavingLog,
  OpenInterleaving,
  ServingCounts,
} from "./types.ts";

/** Bound on the lists of one attempt: about 40 MB at ten items a list. */
const MOST_LISTS = 100_000;

const OPEN_KEY = "interleaving:open";
/** `lists` is where earlier versions kept them, the first ones of each user. */
type Part = "held" | "places" | "lists" | "users" | "entered" | "counts";
const partKey = (attemptId: string, part: Part): string => `interleaving:${attemptId}:${part}`;

/**
 * Keeps of each user the lists of the requests with the smallest places, a uniform sample of all that there were; one that
 * gives way is dropped. A user's places are "<history at the first list ever>\n" and "<place> <request id>\n" for each.
 *
 * KEYS  1 lists (hash: request id → list)   2 places of each user (hash)   3 users whose windows have closed (set)
 * ARGV  1 retention in seconds   2 most lists of a user   3 most lists in all   4 user   5 request id   6 its place
 *       7 the list as JSON   8 history of the user at the request
 * RETURNS 1 when the list was kept, 0 when the sample holds smaller places or a bound was reached
 */
const REMEMBER_LUA = `
if redis.call('SISMEMBER', KEYS[3], ARGV[4]) == 1 then return 0 end
local places = redis.call('HGET', KEYS[2], ARGV[4]) or (ARGV[8] .. '\\n')
local since = string.match(places, '^%d+')
local held, largest = {}, 0
for place, id in string.gmatch(places, '(%S+) (%S+)\\n') do
  if id == ARGV[5] then return 1 end
  held[#held + 1] = {place, id}
  if largest == 0 or tonumber(place) > tonumber(held[largest][1]) then largest = #held end
end
if #held >= tonumber(ARGV[2]) then
  if tonumber(ARGV[6]) >= tonumber(held[largest][1]) then return 0 end
  redis.call('HDEL', KEYS[1], held[largest][2])
  table.remove(held, largest)
elseif redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
held[#held + 1] = {ARGV[6], ARGV[5]}
local lines = {since}
for _, one in ipairs(held) do lines[#lines + 1] = one[1] .. ' ' .. one[2] end
redis.call('HSET', KEYS[1], ARGV[5], ARGV[7])
redis.call('HSET', KEYS[2], ARGV[4], table.concat(lines, '\\n') .. '\\n')
for k = 1, 2 do redis.call('EXPIRE', KEYS[k], ARGV[1]) end
return 1`;

export function redisInterleavingLog(redis: Redis): InterleavingLog {
  const runRemember = luaScript(redis, REMEMBER_LUA);
  const enter = appendOnce(redis, "enter interleaved users");
  const entries = async <T>(key: string): Promise<T[]> =>
    (await fromStore("read interleaving", redis.lrange(key, 0, -1))).map((text) => JSON.parse(text) as T);

  return {
    open: async () => {
      const text = await fromStore("read interleaving", redis.get(OPEN_KEY));
      return text === null ? null : (JSON.parse(text) as OpenInterleaving);
    },
    setOpen: async (open, forMs) => {
      const setting =
        open === null ? redis.del(OPEN_KEY) : redis.set(OPEN_KEY, JSON.stringify(open), "PX", forMs);
      await toStore("set interleaving", Promise.resolve<unknown>(setting));
    },
    remember: async (attemptId, list, listsPerUser) => {
      const keys = (["held", "places", "entered"] as const).map((part) => partKey(attemptId, part));
      const { userId, requestId, historyThrough } = list;
      const bounds = [EVIDENCE_RETENTION_SECONDS, listsPerUser, MOST_LISTS];
      const args = [userId, requestId, samplePlace(requestId), JSON.stringify(list), historyThrough];
      return (await toStore("remember interleaved list", runRemember(keys, [...bounds, ...args]))) === 1;
    },
    lists: async (attemptId) => {
      const [former, held, places] = await Promise.all([
        entries<InterleavedList>(partKey(attemptId, "lists")),
        fromStore("read interleaving", redis.hvals(partKey(attemptId, "held"))),
        fromStore("read interleaving", redis.hgetall(partKey(attemptId, "places"))),
      ]);
      const lists = held.map((text) => JSON.parse(text) as InterleavedList);
      const since = (userId: string): number | undefined =>
        places[userId] === undefined ? undefined : Number.parseInt(places[userId], 10);
      return [...former, ...lists.map((list) => ({ ...list, since: since(list.userId) }))];
    },
    enter: async (attemptId, users) => {
      if (users.length === 0) return;
      await enter(
        [partKey(attemptId, "entered"), partKey(attemptId, "users")],
        users.map((user) => ({ id: user.userId, value: user })),
      );
      const names = users.map(({ userId }) => userId);
      const places = await fromStore(
        "read interleaving",
        redis.hmget(partKey(attemptId, "places"), ...names),
      );
      const ids = places.flatMap((text) =>
        (text ?? "").split("\n").flatMap((line) => line.split(" ").slice(1)),
      );
      const dropping = redis.multi().hdel(partKey(attemptId, "places"), ...names);
      if (ids.length > 0) dropping.hdel(partKey(attemptId, "held"), ...ids);
      await toStore("enter interleaved users", dropping.exec());
    },
    users: (attemptId) => entries<CreditedUser>(partKey(attemptId, "users")),
    report: async (attemptId, run, { asked, failures, timeouts }) => {
      const key = partKey(attemptId, "counts");
      const reporting = redis
        .multi()
        .hset(key, { [`${run}:asked`]: asked, [`${run}:failures`]: failures, [`${run}:timeouts`]: timeouts })
        .expire(key, EVIDENCE_RETENTION_SECONDS);
      await toStore("report interleaving", reporting.exec());
    },
    counts: async (attemptId) => {
      const fields = await fromStore("read interleaving", redis.hgetall(partKey(attemptId, "counts")));
      const sum = (name: keyof ServingCounts): number =>
        Object.entries(fields).reduce(
          (total, [field, value]) => total + (field.endsWith(`:${name}`) ? Number(value) : 0),
          0,
        );
      return { asked: sum("asked"), failures: sum("failures"), timeouts: sum("timeouts") };
    },
  };
}
