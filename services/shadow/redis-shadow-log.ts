import type { Redis } from "ioredis";
import { EVIDENCE_RETENTION_SECONDS } from "../append-once.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { redisBatchLedger } from "./batch-ledger.ts";
import { redisFormerPairs } from "./former-pairs.ts";
import { GrowingList } from "./growing-list.ts";
import { partKey, redisPanel } from "./panel.ts";
import {
  type Attempt,
  type Comparison,
  type ComparisonRef,
  isWatch,
  type JudgedUser,
  type ShadowLog,
  type ShownLists,
} from "./types.ts";
import { acrossTheWire } from "./wire.ts";

const OPEN_KEY = "shadow:open";
export const ATTEMPTS_KEY = "shadow:attempts";
const DEFAULT_LATENCY_SAMPLES = 5000;

export function redisShadowLog(redis: Redis, latencySamples = DEFAULT_LATENCY_SAMPLES): ShadowLog {
  const rows = new GrowingList<JudgedUser>(redis);
  const shown = new GrowingList<ShownLists>(redis);

  const openOnes = async (): Promise<Comparison[]> => {
    const ids = (await fromStore("read attempts", redis.smembers(OPEN_KEY))).sort();
    if (ids.length === 0) return [];
    const texts = await fromStore("read attempts", redis.hmget(ATTEMPTS_KEY, ...ids));
    const stored = texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as Comparison]));
    return stored.map((comparison) => acrossTheWire(comparison, comparison));
  };

  return {
    ...redisBatchLedger(redis),
    panel: redisPanel(redis, latencySamples),
    former: redisFormerPairs(redis),
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
    shed: async (id, batchId, requests) => {
      const key = partKey(id, "shed");
      const counting = redis.multi().hset(key, batchId, requests).expire(key, EVIDENCE_RETENTION_SECONDS);
      await toStore("count shed", counting.exec());
    },
    shedCount: async (id) => {
      const batches = await fromStore("read shadow", redis.hvals(partKey(id, "shed")));
      return batches.reduce((sum, requests) => sum + Number(requests), 0);
    },
    restart: async (id) => {
      const forgetting = redis.multi().hdel(partKey(id, "counts"), "memoryMb");
      forgetting.del(partKey(id, "latencies"), partKey(id, "shown"));
      await toStore("restart attempt", forgetting.exec());
    },
    counts: async (id) => {
      const fields = await fromStore("read shadow", redis.hgetall(partKey(id, "counts")));
      return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, Number(text)]));
    },
    latencies: async (id) => {
      const texts = await fromStore("read shadow", redis.lrange(partKey(id, "latencies"), 0, -1));
      return texts.map((text) => {
        const [challenger, baseline] = text.split(" ").map((ms) => (ms === "-" ? null : Number(ms)));
        return { challenger, baseline };
      });
    },
    hasEntered: async (id, users) => {
      if (users.length === 0) return [];
      const known = await fromStore("read shadow", redis.smismember(partKey(id, "entered"), ...users));
      return known.map((one) => one === 1);
    },
    users: (comparison) =>
      rows.read(partKey(comparison.id, "users"), (text) =>
        acrossTheWire(comparison, JSON.parse(text) as JudgedUser),
      ),
    shown: ({ id }) => shown.read(partKey(id, "shown"), (text) => JSON.parse(text) as ShownLists),
  };
}

/** A judged user as Redis holds it. */
export function rowOf(comparison: Pick<ComparisonRef, "kind">, user: JudgedUser): string {
  return JSON.stringify(acrossTheWire(comparison, user));
}
