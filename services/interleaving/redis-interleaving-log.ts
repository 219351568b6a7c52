import type { Redis } from "ioredis";
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
type Part = "lists" | "per-user" | "users" | "entered" | "counts";
const partKey = (attemptId: string, part: Part): string => `interleaving:${attemptId}:${part}`;

/**
 * KEYS  1 lists (list)   2 lists of each user (hash)
 * ARGV  1 retention in seconds   2 most lists of a user   3 most lists in all   4 user   5 the list as JSON
 * RETURNS 1 when the list was kept, 0 when a bound was reached
 */
const REMEMBER_LUA = `
if tonumber(redis.call('HGET', KEYS[2], ARGV[4]) or '0') >= tonumber(ARGV[2]) then return 0 end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[5])
redis.call('HINCRBY', KEYS[2], ARGV[4], 1)
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
      const keys = [partKey(attemptId, "lists"), partKey(attemptId, "per-user")];
      const args = [EVIDENCE_RETENTION_SECONDS, listsPerUser, MOST_LISTS, list.userId, JSON.stringify(list)];
      return (await toStore("remember interleaved list", runRemember(keys, args))) === 1;
    },
    lists: (attemptId) => entries<InterleavedList>(partKey(attemptId, "lists")),
    enter: (attemptId, users) =>
      enter(
        [partKey(attemptId, "entered"), partKey(attemptId, "users")],
        users.map((user) => ({ id: user.userId, value: user })),
      ),
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
