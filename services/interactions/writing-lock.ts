import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { PhasewiseError } from "../errors.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { WRITING } from "./keys.ts";

/*
 * An import, a compaction and an erasure each read the snapshot in force and put another in its place. Of two at once one
 * would bring back what the other removed, so they take turns: whoever writes holds a key that names him, and holds it on
 * while he lives. A writer that dies loses it after LOST_AFTER_MS.
 */
const LOST_AFTER_MS = 60_000;
const RENEW_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 200;

/** Renews or gives back what is still one's own. */
const OWN_LUA = `#!lua
-- KEYS[1] the lock, ARGV[1] its holder's text, ARGV[2] milliseconds to hold it on, 0 to give it back
-- RETURNS 1 when it was held, else 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`;

export interface WritingOptions {
  /** Who writes, in words that others read: "an import". */
  readonly what: string;
  /** Longest to wait for another who writes, milliseconds. */
  readonly waitMs: number;
  /** Hears once for whom it waits. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/**
 * Does `work` while nobody else writes snapshots of this installation.
 * @throws CONFLICT naming who writes, when that takes longer than `waitMs`
 */
export async function whileWriting<T>(
  redis: Redis,
  { what, waitMs, onWait }: WritingOptions,
  work: () => Promise<T>,
): Promise<T> {
  const own = `${what} (process ${process.pid} on ${hostname()}) ${randomUUID()}`;
  const until = performance.now() + waitMs;
  for (let told = false; ; told = true) {
    const taken = await toStore("take the turn", redis.set(WRITING, own, "PX", LOST_AFTER_MS, "NX"));
    if (taken === "OK") break;
    const text = (await fromStore("look whose turn it is", redis.get(WRITING))) ?? "";
    const holder = text.slice(0, text.lastIndexOf(" "));
    if (!told && holder !== "") onWait?.(holder);
    if (performance.now() >= until) {
      throw new PhasewiseError(
        "CONFLICT",
        `${what}: expected nobody else to write the data, got ${holder || "another"} at work; nothing was changed, try again when it is done`,
        { holder },
      );
    }
    await pause(LOOK_EVERY_MS);
  }
  const run = luaScript(redis, OWN_LUA);
  const renewing = setInterval(
    () => void run([WRITING], [own, LOST_AFTER_MS]).catch(() => {}),
    RENEW_EVERY_MS,
  ).unref();
  try {
    return await work();
  } finally {
    clearInterval(renewing);
    await run([WRITING], [own, 0]).catch(() => {});
  }
}
