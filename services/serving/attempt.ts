import type { Query, Recommendation } from "../../models/recommender.ts";
import { checkedAnswer, type ServedModel } from "./served-model.ts";

/** What came of asking a model once. A late answer is both: there, and a failure. */
export type Attempt =
  | { readonly outcome: "answered"; readonly recommendation: Recommendation; readonly elapsedMs: number }
  | {
      readonly outcome: "slow";
      readonly recommendation: Recommendation;
      readonly elapsedMs: number;
      readonly failure: Error;
    }
  | {
      readonly outcome: "failed";
      readonly recommendation: null;
      /** It took as long as it took, but that says nothing about answers. */
      readonly elapsedMs: null;
      readonly failure: unknown;
    };

/**
 * Asks a model once, checks its scores, and measures what it took; never throws.
 *
 * @param timeoutMs longest that an answer may take; the answer is not interrupted, only called slow
 * @param elapsed a clock that never goes back, milliseconds
 */
export function attempt(
  model: ServedModel,
  query: Query,
  timeoutMs: number,
  elapsed: () => number = () => performance.now(),
): Attempt {
  const startedAt = elapsed();
  try {
    const recommendation = checkedAnswer(model, query);
    const elapsedMs = elapsed() - startedAt;
    if (elapsedMs <= timeoutMs) return { outcome: "answered", recommendation, elapsedMs };
    const failure = new Error(
      `${model.version}: expected an answer within ${timeoutMs} ms, got one after ${elapsedMs.toFixed(0)} ms`,
    );
    return { outcome: "slow", recommendation, elapsedMs, failure };
  } catch (failure) {
    return failed(failure);
  }
}

export function failed(failure: unknown): Attempt {
  return { outcome: "failed", recommendation: null, elapsedMs: null, failure };
}
