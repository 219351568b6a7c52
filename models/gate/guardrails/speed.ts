import { clopperPearson, quantileBounds } from "../binomial-bounds.ts";
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
 * p99 by order statistics: within the budget, and within the ratio to the baseline re-run in the same worker.
 * The baseline's own p99 is an estimate, so the ratio is failed only beyond its upper bound.
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
    const allowed = (baseline: number) =>
      Math.min(limits.latencyBudgetMs, Math.max(limits.latencyNegligibleMs, limits.latencyRatio * baseline));
    const surely = quantileBounds(latencyMs.challenger, 0.99, limits.harmConfidence).lower ?? 0;
    const broken = surely > allowed(theirs.upper ?? Number.POSITIVE_INFINITY);
    const result = provenAtMost(
      "LATENCY",
      ours.estimate,
      { lower: broken ? surely : null, upper: ours.upper },
      allowed(theirs.estimate),
    );
    const samples = latencyMs.challenger.length;
    const more = ours.upper === null ? samplesToBound(samples, 0.99, limits.confidence) : 0;
    const numbers = {
      baseline: theirs.estimate,
      samples,
      ...(result.outcome === "unproven" && more > 0 && { moreRequests: more }),
    };
    return [{ ...result, numbers: { ...result.numbers, ...numbers } }];
  },
});
