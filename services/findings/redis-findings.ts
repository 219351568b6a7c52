import type { Redis } from "ioredis";
import type { Findings } from "../../models/card/findings.ts";
import { fromStore, toStore } from "../store-errors.ts";

const FINDINGS = "findings";

/** The latest findings about each version. */
export interface FindingsStore {
  get(version: string): Promise<Findings | null>;
  /** Of every version that has some. */
  all(): Promise<ReadonlyMap<string, Findings>>;
  put(findings: Findings): Promise<void>;
}

export function redisFindings(redis: Redis): FindingsStore {
  return {
    get: async (version) => {
      const text = await fromStore("read findings", redis.hget(FINDINGS, version));
      return text === null ? null : (JSON.parse(text) as Findings);
    },
    all: async () => {
      const texts = Object.entries(await fromStore("read findings", redis.hgetall(FINDINGS)));
      return new Map(texts.map(([version, text]) => [version, JSON.parse(text) as Findings]));
    },
    put: async (findings) => {
      await toStore("keep findings", redis.hset(FINDINGS, findings.version, JSON.stringify(findings)));
    },
  };
}
