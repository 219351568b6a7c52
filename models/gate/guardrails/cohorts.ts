import { bootstrapMean } from "../../evaluation/bootstrap.ts";
import { COHORTS, type Cohort } from "../../evaluation/cohorts.ts";
import { mean } from "../../evaluation/moments.ts";
import type { Estimate } from "../../evaluation/report.ts";
import { cappedDifference, isSoundFigure } from "../capped-figure.ts";
import type { ShadowEvidence, UserComparison } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { isFutile, isProvenLoss } from "../test-result.ts";
import { defineGuardrail, guardrail, provenAtLeast } from "./guardrail.ts";
import { samplesToNarrow } from "./more-samples.ts";

const CODES = {
  cold: "COLD_USERS",
  light: "LIGHT_USERS",
  heavy: "HEAVY_USERS",
} as const satisfies Readonly<Record<Cohort, string>>;

const SEED = 20_262;

/**
 * No cohort may pay for the mean: mean(d) > −cohortLoss · mean(baseline) in each, by the lower bound of
 * mean(d + cohortLoss · baseline), which stays meaningful where the baseline never scores at all.
 * Of a cohort too small for such a proof only proven harm counts while it is a small share of the users, so that
 * a kind of user who hardly occurs cannot block everybody for ever.
 */
export const COHORT_LOSS = defineGuardrail({
  codes: {
    COLD_USERS: {
      name: "cold users",
      measure: "the change for cold users",
      unit: "change",
      field: "guardrails.cohortLoss",
    },
    LIGHT_USERS: {
      name: "light users",
      measure: "the change for light users",
      unit: "change",
      field: "guardrails.cohortLoss",
    },
    HEAVY_USERS: {
      name: "heavy users",
      measure: "the change for heavy users",
      unit: "change",
      field: "guardrails.cohortLoss",
    },
  },
  judge: (evidence, policy) => {
    const { users } = evidence;
    const limits = policy.guardrails;
    return COHORTS.map((cohort) => {
      const code = CODES[cohort];
      if (users.length === 0) return guardrail(code, "missing");
      const members = users.filter((user) => user.cohort === cohort);
      const share = members.length / users.length;
      const numbers = { users: members.length, share };
      if (members.length < limits.cohortMinimumUsers) {
        if (isHarmed(members, evidence, policy)) return guardrail(code, "fail", numbers);
        if (share <= limits.cohortNegligibleShare) return guardrail(code, "pass", numbers);
        return guardrail(code, "unproven", {
          ...numbers,
          moreUsers: limits.cohortMinimumUsers - members.length,
        });
      }
      const margins = members.map(({ difference, baseline }) => difference + limits.cohortLoss * baseline);
      const tails = [1 - limits.confidence, limits.harmConfidence] as const;
      const beyond = bootstrapMean(margins, { seed: SEED, resamples: limits.resamples, tails });
      const result = provenAtLeast(code, beyond, 0);
      const harmed = result.outcome !== "pass" && isHarmed(members, evidence, policy);
      const outcome = result.outcome === "fail" && !harmed ? "unproven" : result.outcome;
      const more =
        outcome === "unproven"
          ? samplesToNarrow(members.length, beyond.mean - beyond.low, beyond.mean)
          : null;
      return {
        ...result,
        outcome,
        numbers: {
          ...relative(members, beyond, limits.cohortLoss),
          ...numbers,
          ...(more !== null && { moreUsers: more }),
        },
      };
    });
  },
});

/** The same bounds as a change relative to the baseline, for people; absolute where the baseline is 0. */
function relative(
  members: readonly UserComparison[],
  beyond: Estimate,
  loss: number,
): Record<string, number> {
  const baseline = mean(members.map((member) => member.baseline));
  const change = (bound: number): number => (baseline > 0 ? bound / baseline - loss : bound);
  return { value: change(beyond.mean), low: change(beyond.low), high: change(beyond.high), limit: -loss };
}

/**
 * Whether the loss beyond the tolerated one, mean(d + cohortLoss·baseline) < 0, is proven at whatever look: three
 * cohorts looked at after every batch would otherwise reject many a good challenger by chance.
 */
function isHarmed(members: readonly UserComparison[], { plan }: ShadowEvidence, policy: Policy): boolean {
  if (plan === null || !Number.isFinite(plan.variance)) return false;
  const { cohortLoss } = policy.guardrails;
  const test = { margin: 0, mde: policy.mde, variance: plan.variance, alpha: policy.alpha };
  if (plan.figure === undefined) {
    const beyond = members.map(({ user, difference, baseline }) => ({
      user,
      difference: Math.max(-1, Math.min(1, difference + cohortLoss * baseline)),
    }));
    return isProvenLoss(beyond, test);
  }
  if (!isSoundFigure(plan.figure)) return false;
  const { figure } = plan;
  const beyond = members.map((member) => {
    const tolerated = cohortLoss * Math.min(member.baseline, figure.cap);
    return Math.min(figure.cap, cappedDifference(member, figure.cap) + tolerated);
  });
  return isFutile(beyond, { ...test, figure: { ...figure, lift: undefined } });
}
