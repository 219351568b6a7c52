import type { Redis } from "ioredis";
import { luaScript } from "../lua-script.ts";
import { KEY_PREFIX } from "../redis.ts";
import { fromStore } from "../store-errors.ts";
import {
  type Attempt,
  isWatch,
  type JudgedUser,
  type ShadowLog,
  type ShadowPair,
  type Watch,
} from "./types.ts";

/** Evidence of an attempt is kept this long after its last change, seconds. */
const RETENTION_SECONDS = 30 * 86_400;

const OPEN_KEY = `${KEY_PREFIX}shadow:open`;
const ATTEMPTS_KEY = `${KEY_PREFIX}shadow:attempts`;
type Part = "pairs" | "asked" | "per-user" | "users" | "entered" | "shed";
const partKey = (id: string, part: Part): string => `${KEY_PREFIX}shadow:${id}:${part}`;

/**
 * KEYS  1 ids already there (set)   2 entries (list)   3 entries of each user (hash)
 * ARGV  1 retention in seconds, then for each entry its id, its user and its JSON
 * RETURNS how many entries were new. An entry whose id is known has no effect, so a job may run twice.
 */
const APPEND_ONCE_LUA = `
local added = 0
for i = 2, #ARGV, 3 do
  if redis.call('SADD', KEYS[1], ARGV[i]) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[i + 2])
    redis.call('HINCRBY', KEYS[3], ARGV[i + 1], 1)
    added = added + 1
  end
end
for k = 1, 3 do redis.call('EXPIRE', KEYS[k], ARGV[1]) end
return added`;

export function redisShadowLog(redis: Redis): ShadowLog {
  const runAppendOnce = luaScript(redis, APPEND_ONCE_LUA);
  const appendOnce = async (
    keys: readonly [string, string, string],
    entries: readonly { readonly id: string; readonly user: string; readonly value: unknown }[],
  ): Promise<number> => {
    if (entries.length === 0) return 0;
    const rows = entries.flatMap(({ id, user, value }) => [id, user, JSON.stringify(value)]);
    return (await fromStore(
      "record shadow",
      runAppendOnce([...keys], [RETENTION_SECONDS, ...rows]),
    )) as number;
  };
  const list = async <T>(key: string): Promise<T[]> =>
    (await fromStore("read shadow", redis.lrange(key, 0, -1))).map((text) => JSON.parse(text) as T);

  const openOnes = async (): Promise<(Attempt | Watch)[]> => {
    const ids = (await fromStore("read attempts", redis.smembers(OPEN_KEY))).sort();
    if (ids.length === 0) return [];
    const texts = await fromStore("read attempts", redis.hmget(ATTEMPTS_KEY, ...ids));
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as Attempt | Watch]));
  };

  return {
    open: async (attempt) => {
      const opening = redis
        .multi()
        .hset(ATTEMPTS_KEY, attempt.id, JSON.stringify(attempt))
        .sadd(OPEN_KEY, attempt.id);
      await fromStore("open attempt", opening.exec());
    },
    close: async (id) => {
      await fromStore("close attempt", redis.srem(OPEN_KEY, id));
    },
    openAttempts: async () => (await openOnes()).filter((open): open is Attempt => !isWatch(open)),
    openWatches: async () => (await openOnes()).filter(isWatch),
    wasOpened: async (id) => (await fromStore("read attempts", redis.hexists(ATTEMPTS_KEY, id))) === 1,
    requestsOf: async (id, users) => {
      if (users.length === 0) return [];
      const counts = await fromStore("read shadow", redis.hmget(partKey(id, "per-user"), ...users));
      return counts.map((count) => Number(count ?? 0));
    },
    record: async (id, pairs) => {
      const entries = pairs.map((pair) => ({ id: pair.requestId, user: pair.userId, value: pair }));
      await appendOnce([partKey(id, "asked"), partKey(id, "pairs"), partKey(id, "per-user")], entries);
    },
    pairs: (id) => list<ShadowPair>(partKey(id, "pairs")),
    shed: async (id, batchId, requests) => {
      const key = partKey(id, "shed");
      const counting = redis.multi().hset(key, batchId, requests).expire(key, RETENTION_SECONDS);
      await fromStore("count shed", counting.exec());
    },
    shedCount: async (id) => {
      const batches = await fromStore("read shadow", redis.hvals(partKey(id, "shed")));
      return batches.reduce((sum, requests) => sum + Number(requests), 0);
    },
    enter: (id, users) =>
      appendOnce(
        [partKey(id, "entered"), partKey(id, "users"), `${partKey(id, "users")}:count`],
        users.map((user) => ({ id: user.userId, user: user.userId, value: user })),
      ),
    users: (id) => list<JudgedUser>(partKey(id, "users")),
  };
}
