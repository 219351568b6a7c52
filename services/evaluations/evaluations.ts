import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Evaluation } from "../../models/evaluation/evaluate.ts";
import type { EvaluationSummary } from "../../models/evaluation/report.ts";
import type { Params } from "../../models/recipe.ts";
import { KEY_PREFIX } from "../redis.ts";

/** Old evaluations are recomputed when they are asked for again, seconds. */
const RETENTION_SECONDS = 90 * 86_400;

/** What decides a holdout evaluation: the same four give the same figures. */
export interface EvaluationKey {
  readonly dataSha256: string;
  readonly recipe: string;
  readonly params: Params;
  readonly seed: number;
}

/** A holdout evaluation without what only the training process needs. */
export interface StoredEvaluation {
  readonly summary: EvaluationSummary;
  readonly perUser: Evaluation["perUser"];
  readonly faults: Evaluation["faults"];
  /** Epoch milliseconds: the last event learned from and the first judged on. */
  readonly window: { readonly trainedThrough: number; readonly judgedFrom: number };
}

/** Holdout evaluations by what decided them, so that a baseline is judged on the same users only once. */
export interface Evaluations {
  get(key: EvaluationKey): Promise<StoredEvaluation | null>;
  put(key: EvaluationKey, evaluation: StoredEvaluation): Promise<void>;
}

export function redisEvaluations(redis: Redis): Evaluations {
  return {
    get: async (key) => {
      const text = await redis.get(redisKey(key));
      return text === null ? null : (JSON.parse(text) as StoredEvaluation);
    },
    put: async (key, evaluation) => {
      await redis.set(redisKey(key), JSON.stringify(evaluation), "EX", RETENTION_SECONDS);
    },
  };
}

function redisKey({ dataSha256, recipe, params, seed }: EvaluationKey): string {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([dataSha256, recipe, sorted, seed]);
  return `${KEY_PREFIX}evaluation:${createHash("sha256").update(text).digest("hex")}`;
}
