import { clopperPearson, quantileBounds } from "../binomial-bounds.ts";
import { defineGuardrail, guardrail, provenAtMost } from "./guardrail.ts";

/** Failures and time-outs together: the Clopper–Pearson upper bound must stay within the limit. */
export const FAILURES = defineGuardrail({
  codes: {
    FAILURE_RATE: { name: "failure rate", measure: "the rate of failures and time-outs", unit: "share" },
  },
  judge: ({ requests }, { guardrails: limits }) => {
    if (requests === null || !(requests.asked > 0)) return [guardrail("FAILURE_RATE", "missing")];
    const bad = requests.failures + requests.timeouts;
    const counts = [requests.asked, requests.failures, requests.timeouts];
    if (!counts.every((count) => Number.isInteger(count) && count >= 0) || bad > requests.asked) {
      return [guardrail("FAILURE_RATE", "missing")];
    }
    const bounds = {
      lower: clopperPearson(bad, requests.asked, limits.harmConfidence).lower,
      upper: clopperPearson(bad, requests.asked, limits.confidence).upper,
    };
    const result = provenAtMost("FAILURE_RATE", bad / requests.asked, bounds, limits.failureRate);
    return [{ ...result, numbers: { ...result.numbers, failures: bad, asked: requests.asked } }];
  },
});

/**
 * p99 by order statistics: within the budget, and within the ratio to the baseline re-run in the same worker.
 * The baseline's own p99 is an estimate, so the ratio is failed only beyond its upper bound.
 */
export const LATENCY = defineGuardrail({
  codes: {
    LATENCY: { name: "latency", measure: "the p99 of a recommendation", unit: "ms" },
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
    const numbers = { baseline: theirs.estimate, samples: latencyMs.challenger.length };
    return [{ ...result, numbers: { ...result.numbers, ...numbers } }];
  },
});
