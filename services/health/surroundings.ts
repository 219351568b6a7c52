import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { CODE } from "../code-version.ts";
import type { Installation } from "../config.ts";
import { unfitnessOf } from "./redis-fitness.ts";
import type { Heart, WorkerHearts } from "./worker-hearts.ts";

/** What a process stands on, as it was last seen. */
export interface Surroundings {
  readonly redis: "up" | "down" | "unfit";
  /** Null while nobody could be asked. */
  readonly workers: { readonly alive: number; readonly otherCode: number } | null;
  /** What is wrong, each in one sentence with its remedy. */
  readonly problems: readonly string[];
}

export interface SurroundingsOptions {
  readonly installation: Installation;
  readonly redis: Redis;
  /** Absent where workers are no concern. */
  readonly hearts?: Pick<WorkerHearts, "beating">;
  readonly everyMs?: number;
  /** Told what is wrong whenever that has changed. */
  readonly onChange?: (problems: readonly string[]) => void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * Looks at Redis and the workers once a second, whether there are requests or not, and at once when the connection comes
 * back: the Redis behind it may be another one then.
 */
export function watchSurroundings(options: SurroundingsOptions): {
  readonly latest: Surroundings;
  close(): Promise<void>;
} {
  const { installation, redis, hearts, everyMs = LOOK_EVERY_MS, onChange = () => {} } = options;
  const closed = new AbortController();
  let latest: Surroundings = { redis: "down", workers: null, problems: [] };
  const look = async (): Promise<Surroundings> => {
    try {
      const unfit = await unfitnessOf(redis, installation);
      const beating = (await hearts?.beating().catch(() => null)) ?? null;
      return {
        redis: unfit.some(({ grave }) => grave) ? "unfit" : "up",
        workers: beating === null ? null : countOf(beating),
        problems: [...unfit.map(({ words }) => `Redis: ${words}`), ...(beating ? problemsOf(beating) : [])],
      };
    } catch (error) {
      const got = error instanceof Error ? error.message : String(error);
      const words = `Redis: expected it to answer, got "${got}"; start it again, or see what keeps it busy`;
      return { redis: "down", workers: null, problems: [words] };
    }
  };
  const looking = (async () => {
    while (!closed.signal.aborted) {
      const now = await look();
      const changed = now.problems.join() !== latest.problems.join();
      latest = now;
      if (changed && !closed.signal.aborted) onChange(now.problems);
      await untilNextLook(redis, everyMs, closed.signal);
    }
  })();
  return {
    get latest() {
      return latest;
    },
    close: async () => {
      closed.abort();
      await looking;
    },
  };
}

async function untilNextLook(redis: Redis, everyMs: number, closed: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const wake = (): void => woken.abort();
  redis.once("ready", wake);
  await pause(everyMs, undefined, { signal: AbortSignal.any([woken.signal, closed]), ref: false }).catch(
    () => {},
  );
  redis.off("ready", wake);
}

function countOf(beating: readonly Heart[]): { alive: number; otherCode: number } {
  return { alive: beating.length, otherCode: beating.filter(isOtherCode).length };
}

function isOtherCode({ version, git }: Heart): boolean {
  return version !== CODE.version || git !== CODE.git;
}

function problemsOf(beating: readonly Heart[]): string[] {
  if (beating.length === 0) {
    return ["workers: expected at least one, got none: nothing is trained or judged; run phasewise work"];
  }
  const strange = beating.filter(isOtherCode);
  if (strange.length === 0) return [];
  const others = [...new Set(strange.map(codeOf))].join(", ");
  const counts = `${strange.length} of ${beating.length}`;
  return [
    `workers: expected code ${codeOf(CODE)} in all, got ${others} in ${counts}; restart the older ones`,
  ];
}

function codeOf({ version, git }: { readonly version: string; readonly git: string }): string {
  return `${version} (${git})`;
}
