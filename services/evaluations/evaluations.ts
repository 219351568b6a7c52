import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { CompressionLoss } from "../../models/artifact/compression-loss.ts";
import type { Evaluation, UserEvaluation } from "../../models/evaluation/evaluate.ts";
import type { EvaluationSummary } from "../../models/evaluation/report.ts";
import type { Params } from "../../models/recipe.ts";

/** Old evaluations are recomputed when they are asked for again, seconds. */
const RETENTION_SECONDS = 90 * 86_400;

/** What decides a holdout evaluation: the same key gives the same figures. */
export interface EvaluationKey {
  readonly dataSha256: string;
  readonly recipe: string;
  readonly params: Params;
  readonly seed: number;
  /** What an analysis did to the data or the requests, e.g. "half 1 of the users"; absent for the holdout as it is. */
  readonly variant?: string | undefined;
}

/** A holdout evaluation without what only the training process needs. */
export interface StoredEvaluation {
  readonly summary: EvaluationSummary;
  readonly perUser: readonly UserEvaluation[];
  readonly faults: Evaluation["faults"];
  /** What compression cost on these requests, where the model is compressed. */
  readonly compression?: CompressionLoss | undefined;
  /** Epoch milliseconds: the last event learned from and the first judged on. */
  readonly window: { readonly trainedThrough: number; readonly judgedFrom: number };
}

/** Holdout evaluations by what decided them, so that a baseline is judged on the same users only once. */
export interface Evaluations {
  get(key: EvaluationKey): Promise<StoredEvaluation | null>;
  put(key: EvaluationKey, evaluation: StoredEvaluation): Promise<void>;
}

/** @param protocol how the data is split and who is asked; figures under another protocol are not found */
export function redisEvaluations(redis: Redis, protocol: string): Evaluations {
  return {
    get: async (key) => {
      const text = await redis.get(redisKey(protocol, key));
      return text === null ? null : (JSON.parse(text) as StoredEvaluation);
    },
    put: async (key, evaluation) => {
      await redis.set(redisKey(protocol, key), JSON.stringify(evaluation), "EX", RETENTION_SECONDS);
    },
  };
}

function redisKey(protocol: string, { dataSha256, recipe, params, seed, variant }: EvaluationKey): string {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([
    protocol,
    dataSha256,
    recipe,
    sorted,
    seed,
    ...(variant === undefined ? [] : [variant]),
  ]);
  return `evaluation:${createHash("sha256").update(text).digest("hex")}`;
}
