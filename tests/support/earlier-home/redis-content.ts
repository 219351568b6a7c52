import type { Redis } from "ioredis";

/** One key as plain data, so that any server can take it back: RDB files and DUMP payloads are tied to versions. */
export type StoredKey = { readonly key: string } & StoredValue;

type StoredValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "list" | "set"; readonly value: readonly string[] }
  | { readonly type: "hash"; readonly value: Readonly<Record<string, string>> }
  | { readonly type: "zset"; readonly value: readonly (readonly [member: string, score: string])[] }
  | { readonly type: "stream"; readonly value: readonly StreamEntry[]; readonly lastId: string };

type StreamEntry = readonly [id: string, fields: string[]];

const BATCH = 200;

/** Everything in this database, in the order of the keys. */
export async function readContent(redis: Redis): Promise<readonly StoredKey[]> {
  const keys = (await redis.keys("*")).sort();
  const content: StoredKey[] = [];
  for (const key of keys) content.push({ key, ...(await storedValue(redis, key)) });
  return content;
}

async function storedValue(redis: Redis, key: string): Promise<StoredValue> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return { type, value: (await redis.get(key)) ?? "" };
    case "list":
      return { type, value: await redis.lrange(key, 0, -1) };
    case "set":
      return { type, value: (await redis.smembers(key)).sort() };
    case "hash":
      return { type, value: await redis.hgetall(key) };
    case "zset":
      return { type, value: inPairs(await redis.zrange(key, "0", "-1", "WITHSCORES")) };
    case "stream": {
      const value = (await redis.xrange(key, "-", "+")) as unknown as StreamEntry[];
      const about = (await redis.xinfo("STREAM", key)) as unknown[];
      return { type, value, lastId: String(about[about.indexOf("last-generated-id") + 1]) };
    }
    default:
      throw new Error(`${key}: expected a type that plain data can hold, got ${type}`);
  }
}

function inPairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((member, index) => (index % 2 === 0 ? [[member, flat[index + 1]]] : []));
}

/** Puts it into an empty database. Keys come back without an end: that of most has long passed. */
export async function restoreContent(redis: Redis, content: readonly StoredKey[]): Promise<void> {
  for (let from = 0; from < content.length; from += BATCH) {
    const commands = content.slice(from, from + BATCH).flatMap((stored) => commandsFor(stored));
    for (const [error] of (await redis.pipeline(commands).exec()) ?? []) if (error !== null) throw error;
  }
}

function commandsFor(stored: StoredKey): string[][] {
  const { key } = stored;
  switch (stored.type) {
    case "string":
      return [["set", key, stored.value]];
    case "list":
      return [["rpush", key, ...stored.value]];
    case "set":
      return [["sadd", key, ...stored.value]];
    case "hash":
      return [["hset", key, ...Object.entries(stored.value).flat()]];
    case "zset":
      return [["zadd", key, ...stored.value.flatMap(([member, score]) => [score, member])]];
    case "stream": {
      const entries = stored.value.map(([id, fields]) => ["xadd", key, id, ...fields]);
      const made = entries.length > 0 ? entries : [["xadd", key, stored.lastId, "emptied", "1"]];
      return [...made, ["xsetid", key, stored.lastId]];
    }
  }
}
