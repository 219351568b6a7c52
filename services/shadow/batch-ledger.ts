import type { Redis } from "ioredis";
import { EVIDENCE_RETENTION_SECONDS } from "../append-once.ts";
import { luaScript } from "../lua-script.ts";
import type { BatchSpan } from "../queues/types.ts";
import { fromStore, toStore } from "../store-errors.ts";

/**
 * Which sampled requests came out of the queue. A replica numbers its sampled requests, and each batch names the numbers
 * it accounts for, [from, through). Numbers that were worked off are kept for each replica as unbroken stretches: one
 * while nothing is missing, one more for each hole. A hole below a stretch that has been there for a while is a batch
 * that was lost on its way, or that no worker could finish. Neither would leave another trace in the evidence, and the
 * second may be the fault of a challenger.
 */
export interface BatchLedger {
  /** Notes that a batch was worked off for these comparisons; the same batch twice is once. */
  settle(span: BatchSpan, comparisonIds: readonly string[], now: number): Promise<void>;
  /** Requests missing from a comparison since its first batch, which later batches overtook before `before`. */
  lost(comparisonId: string, before: number): Promise<number>;
}

const runKey = (run: string): string => `shadow:run:${run}`;
const firstsKey = (comparisonId: string): string => `shadow:${comparisonId}:firsts`;

/**
 * KEYS  1 stretches of the run (hash: from → "through at")   2… first number of each run in a comparison (hashes)
 * ARGV  1 from   2 through   3 now, epoch milliseconds   4 run   5 retention in seconds
 * RETURNS nothing. The stretch joins those that it touches; a joined one is as old as its lowest part.
 */
const SETTLE_LUA = `
local from, through, at = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local stretches = redis.call('HGETALL', KEYS[1])
for n = 1, #stretches, 2 do
  local otherFrom = tonumber(stretches[n])
  local otherThrough, otherAt = string.match(stretches[n + 1], '(%d+) (%d+)')
  otherThrough = tonumber(otherThrough)
  if otherFrom <= through and from <= otherThrough then
    if otherFrom <= from then at = otherAt end
    from, through = math.min(from, otherFrom), math.max(through, otherThrough)
    redis.call('HDEL', KEYS[1], stretches[n])
  end
end
redis.call('HSET', KEYS[1], from, through .. ' ' .. at)
redis.call('EXPIRE', KEYS[1], ARGV[5])
for k = 2, #KEYS do
  redis.call('HSETNX', KEYS[k], ARGV[4], ARGV[1])
  redis.call('EXPIRE', KEYS[k], ARGV[5])
end`;

export function redisBatchLedger(redis: Redis): BatchLedger {
  const runSettle = luaScript(redis, SETTLE_LUA);
  return {
    settle: async ({ run, from, through }, comparisonIds, now) => {
      const keys = [runKey(run), ...comparisonIds.map(firstsKey)];
      const args = [from, through, Math.floor(now), run, EVIDENCE_RETENTION_SECONDS];
      await toStore("settle shadow batch", runSettle(keys, args));
    },
    lost: async (comparisonId, before) => {
      const firsts = await fromStore("read shadow", redis.hgetall(firstsKey(comparisonId)));
      const perRun = Object.entries(firsts).map(async ([run, first]) => {
        const stretches = await fromStore("read shadow", redis.hgetall(runKey(run)));
        return holes(stretches, Number(first), before);
      });
      return (await Promise.all(perRun)).reduce((sum, count) => sum + count, 0);
    },
  };
}

function holes(stretches: Readonly<Record<string, string>>, first: number, before: number): number {
  const ascending = Object.entries(stretches)
    .map(([from, text]) => {
      const [through, at] = text.split(" ").map(Number);
      return { from: Number(from), through, at };
    })
    .sort((a, b) => a.from - b.from);
  let missing = 0;
  for (let next = 1; next < ascending.length; next++) {
    const { from, at } = ascending[next];
    if (at <= before) missing += Math.max(0, from - Math.max(first, ascending[next - 1].through));
  }
  return missing;
}
