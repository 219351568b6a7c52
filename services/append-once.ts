import type { Redis } from "ioredis";
import { luaScript } from "./lua-script.ts";
import { toStore } from "./store-errors.ts";

/** Evidence of an attempt is kept this long after its last change, seconds. */
export const EVIDENCE_RETENTION_SECONDS = 30 * 86_400;

export interface OnceEntry {
  readonly id: string;
  readonly value: unknown;
}

/**
 * KEYS  1 ids already there (set)   2 entries (list)
 * ARGV  1 retention in seconds, then for each entry its id and its JSON
 * RETURNS how many entries were new. An entry whose id is known has no effect, so a job may run twice.
 */
const APPEND_ONCE_LUA = `
local added = 0
for i = 2, #ARGV, 2 do
  if redis.call('SADD', KEYS[1], ARGV[i]) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[i + 1])
    added = added + 1
  end
end
for k = 1, #KEYS do redis.call('EXPIRE', KEYS[k], ARGV[1]) end
return added`;

/** Appends entries to a list, each id once however often it is sent. */
export function appendOnce(redis: Redis, attempt: string) {
  const run = luaScript(redis, APPEND_ONCE_LUA);
  return async (
    keys: readonly [ids: string, entries: string],
    entries: readonly OnceEntry[],
  ): Promise<void> => {
    if (entries.length === 0) return;
    const rows = entries.flatMap(({ id, value }) => [id, JSON.stringify(value)]);
    await toStore(attempt, run([...keys], [EVIDENCE_RETENTION_SECONDS, ...rows]));
  };
}
