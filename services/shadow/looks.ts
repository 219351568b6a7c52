import type { Redis } from "ioredis";
import type { Verdict } from "../../models/gate/reasons.ts";
import { fromStore } from "../store-errors.ts";

/** What one look of the judge found. */
export interface Judgement {
  /**
   * A challenger in the shadow, or serving as the canary; or the live version (then `challenger`) beside the one
   * before it, or in service.
   */
  readonly about: "shadow" | "canary" | "watch" | "fleet";
  readonly challenger: string;
  readonly baseline: string;
  readonly verdict: Verdict;
  readonly users: number;
  /** Of a shadow: share of the items that the lists of the two have in common, a mean over requests. */
  readonly overlap?: number | undefined;
  readonly sentence: string;
}

export interface Look extends Judgement {
  /** ISO 8601. */
  readonly at: string;
}

/** The judge's latest look: where everything stands now, most of which no decision is ever written about. */
export interface Looks {
  put(judgements: readonly Judgement[], at: string): Promise<void>;
  latest(): Promise<readonly Look[]>;
}

const LATEST = "shadow:looks";

export function redisLooks(redis: Redis): Looks {
  return {
    put: async (judgements, at) => {
      const looks: Look[] = judgements.map((judgement) => ({ ...judgement, at }));
      await fromStore("keep looks", redis.set(LATEST, JSON.stringify(looks)));
    },
    latest: async () => {
      const text = await fromStore("read looks", redis.get(LATEST));
      return text === null ? [] : (JSON.parse(text) as Look[]);
    },
  };
}
