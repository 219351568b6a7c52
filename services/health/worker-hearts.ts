import type { Redis } from "ioredis";
import { CODE } from "../code-version.ts";
import { fromStore, toStore } from "../store-errors.ts";

/** A heart beats this often, and one that has not beaten for so long has stopped. */
const BEAT_EVERY_MS = 4_000;
const EXPIRY_SECONDS = 15;

/** What a living worker says of itself. */
export interface Heart {
  /** Host and process. */
  readonly name: string;
  readonly version: string;
  readonly git: string;
}

const WORKERS_KEY = "workers";
const workerKey = (name: string): string => `worker:${name}`;

export interface WorkerHearts {
  beat(heart: Heart): Promise<void>;
  stopped(name: string): Promise<void>;
  /** Of the workers that live, by name. */
  beating(): Promise<readonly Heart[]>;
}

export function workerHearts(redis: Redis): WorkerHearts {
  return {
    async beat(heart) {
      const { name } = heart;
      const beat = redis.multi().sadd(WORKERS_KEY, name);
      beat.set(workerKey(name), JSON.stringify(heart), "EX", EXPIRY_SECONDS);
      await toStore("beat a worker's heart", beat.exec());
    },

    async stopped(name) {
      const forget = redis.multi().srem(WORKERS_KEY, name).del(workerKey(name));
      await toStore("forget a worker", forget.exec());
    },

    async beating() {
      const names = (await fromStore("read workers", redis.smembers(WORKERS_KEY))).sort();
      if (names.length === 0) return [];
      const texts = await fromStore("read workers", redis.mget(names.map(workerKey)));
      const gone = names.filter((_, at) => texts[at] === null);
      if (gone.length > 0) await toStore("forget workers", redis.srem(WORKERS_KEY, ...gone));
      return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as Heart]));
    },
  };
}

/** Beats until it is stopped. A beat that is missed is made up for by the next one, or once the connection is there. */
export function keepBeating(redis: Redis, name: string): { stop(): Promise<void> } {
  const hearts = workerHearts(redis);
  const beat = (): void => void hearts.beat({ name, ...CODE }).catch(() => {});
  const timer = setInterval(beat, BEAT_EVERY_MS);
  redis.on("ready", beat);
  if (redis.status === "ready") beat();
  return {
    stop: async () => {
      clearInterval(timer);
      redis.off("ready", beat);
      await hearts.stopped(name).catch(() => {});
    },
  };
}
