import type { Redis } from "ioredis";
import { fromStore } from "../store-errors.ts";

const PAGE = 1000;

/** Every key that begins so, on a client that puts no prefix before them. */
export async function* keysOf(redis: Redis, prefix: string): AsyncGenerator<string> {
  const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, "\\$&")}*`;
  let cursor = "0";
  do {
    const [next, keys] = await fromStore("scan keys", redis.scan(cursor, "MATCH", pattern, "COUNT", PAGE));
    yield* keys;
    cursor = next;
  } while (cursor !== "0");
}
