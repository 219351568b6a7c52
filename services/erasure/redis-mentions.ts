import type { Redis } from "ioredis";
import { DEFAULT_PREFIX, type Installation } from "../config.ts";
import { QUEUES, type ShadowPayload } from "../queues/types.ts";
import { connectForQueues, queuePrefixOf } from "../redis.ts";
import { fromStore } from "../store-errors.ts";
import { keysOf } from "./keys-of.ts";
import { mentions } from "./mentions.ts";

/** Rows that name a user, by the key that holds them. */
export type Mentions = Readonly<Record<string, readonly unknown[]>>;

/**
 * Every row of evidence, and every request that waits for the shadow, that names the user: what erasing him would remove
 * besides his history and his events. It walks the same keys.
 */
export async function mentionsInRedis(installation: Installation, user: string): Promise<Mentions> {
  const redis = connectForQueues(installation, "patient", () => {});
  const own = `{${installation.prefix ?? DEFAULT_PREFIX}}:`;
  const found: Record<string, readonly unknown[]> = {};
  try {
    for await (const key of keysOf(redis, own)) {
      const name = key.slice(own.length);
      if (/^(history|seen|taken|event):|^events$/.test(name)) continue;
      const rows = (await textsIn(redis, key)).filter(
        ([field, text]) => field === user || mentions(text, user),
      );
      if (rows.length > 0) found[name] = rows.map(([field, text]) => row(field, text));
    }
    for await (const key of keysOf(redis, `${queuePrefixOf(installation)}:${QUEUES.shadow}:`)) {
      if ((await fromStore("look at a key", redis.type(key))) !== "hash") continue;
      const text = await fromStore("read job", redis.hget(key, "data"));
      if (text === null || !mentions(text, user)) continue;
      const { requests } = JSON.parse(text) as ShadowPayload;
      found.requests = [...(found.requests ?? []), ...requests.filter((request) => request.userId === user)];
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

type Text = readonly [field: string | null, text: string];

async function textsIn(redis: Redis, key: string): Promise<readonly Text[]> {
  const plain = (texts: readonly string[]): Text[] => texts.map((text) => [null, text]);
  switch (await fromStore("look at a key", redis.type(key))) {
    case "list":
      return plain(await fromStore("read rows", redis.lrange(key, 0, -1)));
    case "hash":
      return Object.entries(await fromStore("read fields", redis.hgetall(key)));
    case "set":
      return plain(await fromStore("read members", redis.smembers(key)));
    case "zset":
      return plain(await fromStore("read members", redis.zrange(key, "0", "-1")));
    default:
      return [];
  }
}

function row(field: string | null, text: string): unknown {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // A plain text.
  }
  return field === null ? value : { [field]: value };
}
