import type { Redis } from "ioredis";
import { EVIDENCE_RETENTION_SECONDS } from "../append-once.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { partKey } from "./panel.ts";
import type { ComparisonRef, ShadowPair } from "./types.ts";
import { acrossTheWire } from "./wire.ts";

/**
 * What earlier versions kept of a comparison: every pair of lists, for ever. The first look of this one takes over
 * what is open, counts the rest, and lets the pairs go.
 */
export interface FormerPairs {
  /** Empty once they have been taken over. */
  pairs(comparison: ComparisonRef): Promise<readonly ShadowPair[]>;
  /** Puts counts, latencies and shown lists in their place, once, however often it is called. */
  replace(id: string, by: FormerCounts): Promise<void>;
}

export interface FormerCounts {
  readonly counts: Readonly<Record<string, number>>;
  readonly latencies: readonly string[];
  /** Rows of what users who entered were shown. */
  readonly shown: readonly string[];
}

/**
 * KEYS  1 pairs (list)   2, 3 what else was kept of them   4 counts (hash)   5 latencies (list)   6 shown (list)
 * ARGV  1 JSON {counts, latencies, shown}   2 retention in seconds
 * RETURNS 1 when it was done, 0 when somebody has done it before
 */
const REPLACE_LUA = `
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
local by = cjson.decode(ARGV[1])
for name, count in pairs(by.counts) do
  if name == 'memoryMb' then redis.call('HSET', KEYS[4], name, string.format('%.17g', count))
  else redis.call('HINCRBYFLOAT', KEYS[4], name, string.format('%.17g', count)) end
end
for _, row in ipairs(by.latencies) do redis.call('RPUSH', KEYS[5], row) end
for _, row in ipairs(by.shown) do redis.call('RPUSH', KEYS[6], row) end
for k = 4, 6 do redis.call('EXPIRE', KEYS[k], ARGV[2]) end
return 1`;

export function redisFormerPairs(redis: Redis): FormerPairs {
  const runReplace = luaScript(redis, REPLACE_LUA);
  return {
    pairs: async (comparison) => {
      const texts = await fromStore("read shadow", redis.lrange(partKey(comparison.id, "pairs"), 0, -1));
      return texts.map((text) => acrossTheWire(comparison, JSON.parse(text) as ShadowPair));
    },
    replace: async (id, by) => {
      const keys = ["pairs", "asked", "places", "counts", "latencies", "shown"].map((part) =>
        partKey(id, part),
      );
      await toStore("take over shadow", runReplace(keys, [JSON.stringify(by), EVIDENCE_RETENTION_SECONDS]));
    },
  };
}
