import type { Redis } from "ioredis";
import { userId } from "../../models/data/ids.ts";
import { DEFAULT_PREFIX, type Installation } from "../config.ts";
import { historyKey, userKeys } from "../interactions/keys.ts";
import { QUEUES, type ShadowPayload } from "../queues/types.ts";
import { connectForQueues, queuePrefixOf } from "../redis.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { keysOf } from "./keys-of.ts";
import { mentions } from "./mentions.ts";
import { forgetShadowed } from "./shadow-traces.ts";

/** What was removed of a user, by where it stood. */
export type Traces = Readonly<Record<"histories" | "events" | "evidence" | "requests", number>>;

const PAGE = 1000;

/**
 * Removes every trace of a user in Redis: the history, the events that are not folded in yet, the rows of comparisons and
 * interleaved lists, and the sampled requests that wait for the shadow. It walks all keys of the installation, so that
 * nothing that a later release adds is forgotten.
 */
export async function forgetInRedis(installation: Installation, user: string): Promise<Traces> {
  const redis = connectForQueues(installation, "patient", () => {});
  const own = `{${installation.prefix ?? DEFAULT_PREFIX}}:`;
  const traces = { histories: 0, events: 0, evidence: 0, requests: 0 };
  try {
    const named = userKeys(userId(user)).map((key) => `${own}${key}`);
    traces.histories = await toStore("erase user", redis.exists(`${own}${historyKey(userId(user))}`));
    await toStore("erase user", redis.del(...named));
    traces.evidence += await forgetShadowed(redis, own, user);
    for await (const key of keysOf(redis, own)) {
      const name = key.slice(own.length);
      if (/^(history|seen|taken|event|shadow:user):/.test(name)) continue;
      if (name === "events") traces.events += await forgetEvents(redis, key, user);
      else traces.evidence += await forgetIn(redis, key, user);
    }
    const jobs = `${queuePrefixOf(installation)}:${QUEUES.shadow}:`;
    for await (const key of keysOf(redis, jobs)) traces.requests += await forgetRequests(redis, key, user);
    return traces;
  } finally {
    redis.disconnect();
  }
}

async function forgetEvents(redis: Redis, key: string, user: string): Promise<number> {
  let [removed, after] = [0, "-"];
  for (;;) {
    const page = await fromStore("read events", redis.xrange(key, after, "+", "COUNT", PAGE));
    const own = page.filter(([, fields]) => (JSON.parse(fields[1]) as { userId: string }).userId === user);
    if (own.length > 0) removed += await toStore("erase user", redis.xdel(key, ...own.map(([id]) => id)));
    const last = page.at(-1)?.[0];
    if (page.length < PAGE || last === undefined) return removed;
    after = `(${last}`;
  }
}

/** Rows, fields and members that name the user. */
async function forgetIn(redis: Redis, key: string, user: string): Promise<number> {
  switch (await fromStore("look at a key", redis.type(key))) {
    case "list": {
      const rows = await fromStore("read rows", redis.lrange(key, 0, -1));
      let removed = 0;
      for (const row of new Set(rows.filter((text) => mentions(text, user)))) {
        removed += await toStore("erase user", redis.lrem(key, 0, row));
      }
      return removed;
    }
    case "hash": {
      const fields = await fromStore("read fields", redis.hgetall(key));
      const own = Object.entries(fields).filter(([field, text]) => field === user || mentions(text, user));
      return own.length === 0 ? 0 : toStore("erase user", redis.hdel(key, ...own.map(([field]) => field)));
    }
    case "set": {
      const own = (await fromStore("read members", redis.smembers(key))).filter((text) =>
        mentions(text, user),
      );
      return own.length === 0 ? 0 : toStore("erase user", redis.srem(key, ...own));
    }
    case "zset": {
      const own = (await fromStore("read members", redis.zrange(key, "0", "-1"))).filter((text) =>
        mentions(text, user),
      );
      return own.length === 0 ? 0 : toStore("erase user", redis.zrem(key, ...own));
    }
    default:
      return 0;
  }
}

/** A batch of the shadow loses the user's requests, whether it waits, runs or is done. */
async function forgetRequests(redis: Redis, key: string, user: string): Promise<number> {
  if ((await fromStore("look at a key", redis.type(key))) !== "hash") return 0;
  const text = await fromStore("read job", redis.hget(key, "data"));
  if (text === null || !mentions(text, user)) return 0;
  const payload = JSON.parse(text) as ShadowPayload;
  const kept = payload.requests.filter((request) => request.userId !== user);
  await toStore("erase user", redis.hset(key, "data", JSON.stringify({ ...payload, requests: kept })));
  return payload.requests.length - kept.length;
}
