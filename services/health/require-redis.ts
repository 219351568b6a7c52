import { setTimeout as pause } from "node:timers/promises";
import type { Installation } from "../config.ts";
import { PhasewiseError } from "../errors.ts";
import { connectRedis } from "../redis.ts";
import { inTime } from "../waiting.ts";
import { unfitnessOf } from "./redis-fitness.ts";

/** Longest that a start waits for Redis: whoever ordered it is told within five seconds. */
const START_TIMEOUT_MS = 3_000;
/** The same of a program that can begin without it. */
const SHORT_TIMEOUT_MS = 1_000;
const LOOK_EVERY_MS = 1_000;

/** Where a Redis is, without what is secret in its URL. */
export function addressOf({ redisUrl }: Installation): string {
  const { protocol, host, pathname } = new URL(redisUrl);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

/**
 * Resolves once a fit Redis has answered, with what is not quite right about it, in words.
 * @throws STORE_UNAVAILABLE with its address and one sentence: what was expected, what was got, what to do. Its
 *   `details.unfit` tells a Redis that answers, and must not be used, from one that does not answer
 */
export async function requireRedis(
  installation: Installation,
  timeoutMs = START_TIMEOUT_MS,
): Promise<readonly string[]> {
  const at = `Redis at ${addressOf(installation)}`;
  let last = `no answer within ${timeoutMs / 1000} s`;
  const redis = connectRedis(installation, "patient", (error) => {
    last = error.message || String((error as { code?: unknown }).code);
  });
  const late = (): Error => {
    const remedy = "start it, or set REDIS_URL to where one listens";
    const words = `${at}: expected it to answer, got ${last}; ${remedy}`;
    return new PhasewiseError("STORE_UNAVAILABLE", words, { unfit: false });
  };
  try {
    const found = await inTime(timeoutMs, () => unfitnessOf(redis, installation), late);
    const worst = found.find(({ grave }) => grave);
    if (worst === undefined) return found.map(({ words }) => `${at}: ${words}`);
    throw new PhasewiseError("STORE_UNAVAILABLE", `${at}: ${worst.words}`, { unfit: true });
  } finally {
    redis.disconnect();
  }
}

/**
 * Does `work` as long as Redis answers and is fit: clients that wait patiently for it would wait for good.
 * @throws as requireRedis, within seconds of Redis' going away; what was begun goes on unheard
 */
export async function whileRedisAnswers<T>(installation: Installation, work: () => Promise<T>): Promise<T> {
  await requireRedis(installation);
  const done = new AbortController();
  const watching = async (): Promise<never> => {
    for (;;) {
      await pause(LOOK_EVERY_MS, undefined, { signal: done.signal });
      await requireRedis(installation);
    }
  };
  try {
    return await Promise.race([work(), watching()]);
  } finally {
    done.abort();
  }
}

/** Exit code of a program that cannot reach what it needs. */
export const UNREACHABLE = 5;

/** For the start of a program: ends it with one sentence where Redis is not fit, or away unless that is no matter. */
export async function exitUnlessFit(installation: Installation, { mayBeAway = false } = {}): Promise<void> {
  try {
    await requireRedis(installation, mayBeAway ? SHORT_TIMEOUT_MS : START_TIMEOUT_MS);
  } catch (error) {
    if (!(error instanceof PhasewiseError)) throw error;
    if (mayBeAway && error.details.unfit === false) return;
    process.stderr.write(`phasewise: ${error.message}\n`);
    process.exit(UNREACHABLE);
  }
}
