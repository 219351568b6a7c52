import { clopperPearson, quantileBounds } from "../binomial-bounds.ts";
import type { ShadowEvidence } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { defineGuardrail, guardrail, provenAtMost } from "./guardrail.ts";
import { requestsToAcquit, samplesToBound } from "./more-samples.ts";

/** Failures and time-outs together: the Clopper–Pearson upper bound must stay within the limit. */
export const FAILURES = defineGuardrail({
  codes: {
    FAILURE_RATE: {
      name: "failure rate",
      measure: "the rate of failures and time-outs",
      unit: "share",
      field: "guardrails.failureRate",
    },
  },
  judge: ({ requests }, { guardrails: limits }) => {
    if (requests === null || !(requests.asked > 0)) return [guardrail("FAILURE_RATE", "missing")];
    const bad = requests.failures + requests.timeouts;
    const counts = [requests.asked, requests.failures, requests.timeouts];
    if (!counts.every((count) => Number.isInteger(count) && count >= 0) || bad > requests.asked) {
      return [guardrail("FAILURE_RATE", "missing")];
    }
    const { asked, baselineFailed } = requests;
    const lower = clopperPearson(bad, asked, limits.harmConfidence).lower;
    const upper = clopperPearson(bad, asked, limits.confidence).upper;
    // What starves the baseline's lane too is not the challenger's doing.
    const excused = baselineFailed !== undefined && lower <= baselineRate(baselineFailed, asked, limits);
    const bounds = { lower: excused ? Math.min(lower, limits.failureRate) : lower, upper };
    const result = provenAtMost("FAILURE_RATE", bad / asked, bounds, limits.failureRate);
    const more =
      result.outcome === "unproven"
        ? requestsToAcquit(bad, asked, { limit: limits.failureRate, confidence: limits.confidence })
        : null;
    return [
      {
        ...result,
        numbers: { ...result.numbers, failures: bad, asked, ...(more !== null && { moreRequests: more }) },
      },
    ];
  },
});

/** The most that the baseline's rate may be; not finite counts, which prove nothing, excuse nothing. */
function baselineRate(failed: number, asked: number, { harmConfidence }: Policy["guardrails"]): number {
  if (!(Number.isInteger(failed) && failed >= 0 && failed <= asked)) return 0;
  return failed === 0 ? 0 : clopperPearson(failed, asked, harmConfidence).upper;
}

/**
 * p99 by order statistics: it passes within the budget, and within the ratio to the baseline re-run in the same worker.
 * It fails only when it is proven beyond the baseline's own in the same lanes: what starves both is not the challenger's
 * doing, so that a budget which the baseline breaks too holds.
 */
export const LATENCY = defineGuardrail({
  codes: {
    LATENCY: {
      name: "latency",
      measure: "the p99 of a recommendation",
      unit: "ms",
      field: "guardrails.latencyBudgetMs",
    },
  },
  judge: ({ latencyMs }, { guardrails: limits }) => {
    if (latencyMs === null || latencyMs.challenger.length === 0 || latencyMs.baseline.length === 0) {
      return [guardrail("LATENCY", "missing")];
    }
    if (![...latencyMs.challenger, ...latencyMs.baseline].every(Number.isFinite)) {
      return [guardrail("LATENCY", "missing")];
    }
    const ours = quantileBounds(latencyMs.challenger, 0.99, limits.confidence);
    const theirs = quantileBounds(latencyMs.baseline, 0.99, limits.harmConfidence);
    const surely = quantileBounds(latencyMs.challenger, 0.99, limits.harmConfidence).lower ?? 0;
    const limit = allowedMs(theirs.estimate, limits);
    const accused = surely > allowedMs(theirs.upper ?? Number.POSITIVE_INFINITY, limits);
    const excuse = accused ? excuseOf(latencyMs, theirs.upper, surely, limits) : null;
    const bounds = { lower: accused && excuse === null ? surely : null, upper: ours.upper };
    const result = provenAtMost("LATENCY", ours.estimate, bounds, limit);
    const samples = latencyMs.challenger.length;
    const more = ours.upper === null ? samplesToBound(samples, 0.99, limits.confidence) : 0;
    const numbers = {
      baseline: theirs.estimate,
      samples,
      ...(result.outcome === "unproven" && more > 0 && { moreRequests: more }),
      ...(result.outcome === "unproven" && excuse),
    };
    return [{ ...result, numbers: { ...result.numbers, ...numbers } }];
  },
});

/** The most that a p99 may be beside that of the baseline. */
function allowedMs(baselineMs: number, limits: Policy["guardrails"]): number {
  const { latencyBudgetMs, latencyNegligibleMs, latencyRatio } = limits;
  return Math.min(latencyBudgetMs, Math.max(latencyNegligibleMs, latencyRatio * baselineMs));
}

/** Why a p99 beyond the limit rejects nobody yet, in numbers; null when it does. */
function excuseOf(
  { challenger, baseline }: NonNullable<ShadowEvidence["latencyMs"]>,
  baselineHigh: number | null,
  surely: number,
  limits: Policy["guardrails"],
): { readonly moreRequests: number } | { readonly baselineHigh: number } | null {
  // Policies from before there was this limit rejected by the budget alone, on any number of samples.
  const least: number | undefined = limits.latencyMinimumSamples;
  if (least === undefined) return null;
  const samples = Math.min(challenger.length, baseline.length);
  const missing = baselineHigh === null ? samplesToBound(samples, 0.99, limits.harmConfidence) : 0;
  const moreRequests = Math.max(least - samples, missing);
  if (moreRequests > 0 || baselineHigh === null) return { moreRequests: Math.max(1, moreRequests) };
  return surely <= limits.latencyRatio * baselineHigh ? { baselineHigh } : null;
}
