import type { Redis } from "ioredis";
import { appendOnce, EVIDENCE_RETENTION_SECONDS } from "../append-once.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { redisBatchLedger } from "./batch-ledger.ts";
import {
  type Attempt,
  type Comparison,
  type ComparisonRef,
  isWatch,
  type JudgedUser,
  type Role,
  type ShadowLog,
  type ShadowPair,
} from "./types.ts";
import { acrossTheWire } from "./wire.ts";

const OPEN_KEY = "shadow:open";
const ATTEMPTS_KEY = "shadow:attempts";
type Part = "pairs" | "asked" | "places" | "users" | "entered" | "shed";
const partKey = (id: string, part: Part): string => `shadow:${id}:${part}`;

export function redisShadowLog(redis: Redis): ShadowLog {
  const record = appendOnce(redis, "record shadow");
  const list = async <T extends Readonly<Record<Role, unknown>>>(
    comparison: ComparisonRef,
    part: Part,
  ): Promise<T[]> => {
    const texts = await fromStore("read shadow", redis.lrange(partKey(comparison.id, part), 0, -1));
    return texts.map((text) => acrossTheWire(comparison, JSON.parse(text) as T));
  };

  const openOnes = async (): Promise<Comparison[]> => {
    const ids = (await fromStore("read attempts", redis.smembers(OPEN_KEY))).sort();
    if (ids.length === 0) return [];
    const texts = await fromStore("read attempts", redis.hmget(ATTEMPTS_KEY, ...ids));
    const stored = texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as Comparison]));
    return stored.map((comparison) => acrossTheWire(comparison, comparison));
  };

  return {
    ...redisBatchLedger(redis),
    open: async (comparison) => {
      const { id } = comparison;
      const text = JSON.stringify(acrossTheWire(comparison, comparison));
      const opening = redis.multi().hset(ATTEMPTS_KEY, id, text).sadd(OPEN_KEY, id);
      await toStore("open attempt", opening.exec());
    },
    close: async (id) => {
      await toStore("close attempt", redis.srem(OPEN_KEY, id));
    },
    openAttempts: async () => (await openOnes()).filter((open): open is Attempt => !isWatch(open)),
    openWatches: async () => (await openOnes()).filter(isWatch),
    wasOpened: async (id) => (await fromStore("read attempts", redis.hexists(ATTEMPTS_KEY, id))) === 1,
    placesOf: async (id, users) => {
      if (users.length === 0) return [];
      const texts = await fromStore("read shadow", redis.hmget(partKey(id, "places"), ...users));
      return texts.map((text) => (text === null ? [] : (JSON.parse(text) as number[])));
    },
    keepPlaces: async (id, places) => {
      if (places.size === 0) return;
      const key = partKey(id, "places");
      const fields = [...places].flatMap(([user, held]) => [user, JSON.stringify(held)]);
      const keeping = redis
        .multi()
        .hset(key, ...fields)
        .expire(key, EVIDENCE_RETENTION_SECONDS);
      await toStore("record shadow", keeping.exec());
    },
    record: async (comparison, pairs) => {
      const { id } = comparison;
      const entries = pairs.map((pair) => ({
        id: pair.requestId,
        value: acrossTheWire(comparison, pair),
      }));
      await record([partKey(id, "asked"), partKey(id, "pairs")], entries);
    },
    pairs: (comparison) => list<ShadowPair>(comparison, "pairs"),
    shed: async (id, batchId, requests) => {
      const key = partKey(id, "shed");
      const counting = redis.multi().hset(key, batchId, requests).expire(key, EVIDENCE_RETENTION_SECONDS);
      await toStore("count shed", counting.exec());
    },
    shedCount: async (id) => {
      const batches = await fromStore("read shadow", redis.hvals(partKey(id, "shed")));
      return batches.reduce((sum, requests) => sum + Number(requests), 0);
    },
    enter: (comparison, users) => {
      const { id } = comparison;
      const entries = users.map((user) => ({
        id: user.userId,
        value: acrossTheWire(comparison, user),
      }));
      return record([partKey(id, "entered"), partKey(id, "users")], entries);
    },
    users: (comparison) => list<JudgedUser>(comparison, "users"),
  };
}
