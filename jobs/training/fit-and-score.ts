import type { TrainingSet } from "../../models/data/interaction-matrix.ts";
import { type Evaluation, evaluate } from "../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import type { RequestSet } from "../../models/evaluation/requests.ts";
import { fitModel, recommenderOf } from "../../models/model.ts";
import { counts } from "../../models/popularity/counts.ts";
import type { FitOptions, Params } from "../../models/recipe.ts";

/** A past to learn from and the moments to be judged by. */
export interface ValidationSplit {
  readonly train: TrainingSet;
  readonly requests: RequestSet;
}

export type TrialFitOptions = Pick<FitOptions, "threads" | "signal" | "checkpoint" | "onProgress">;

export type Tried =
  | { readonly evaluation: Evaluation; readonly seconds: number }
  | { readonly failure: string; readonly seconds: number };

/**
 * Fits with the parameters of one trial and asks the validation window. Parameters that cannot be fitted, or whose model
 * scores something that is no number, have failed, and the search goes on without them.
 * @throws what the machine is to blame for (a full disk), which another try may mend, and what aborted it
 */
export async function fitAndScore(
  recipe: string,
  { train, requests }: ValidationSplit,
  { params, seed }: { readonly params: Params; readonly seed: number },
  { threads, signal, checkpoint, onProgress }: TrialFitOptions,
): Promise<Tried> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  try {
    const { model } = await fitModel(recipe, train, params, {
      seed,
      threads,
      signal,
      checkpoint,
      onProgress,
    });
    const { items } = train.interactions;
    const popularity = popularityShares(counts(train));
    const evaluation = evaluate(recommenderOf(model), requests, { items, popularity, seed });
    return { evaluation, seconds: seconds() };
  } catch (error) {
    if (signal?.aborted || isSystemError(error)) throw error;
    return { failure: error instanceof Error ? error.message : String(error), seconds: seconds() };
  }
}

/** What the operating system refused, such as ENOSPC. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
