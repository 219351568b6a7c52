import type { UserId } from "../data/ids.ts";
import { type BootstrapOptions, bootstrapMean } from "./bootstrap.ts";
import { COHORTS, type Cohort, type CohortThresholds, cohortOf } from "./cohorts.ts";
import type { Evaluation, UserEvaluation } from "./evaluate.ts";
import type { Estimate } from "./report.ts";

/** challenger − baseline nDCG of one user, in [−1, 1]. */
export interface PairedDifference {
  readonly user: UserId;
  readonly difference: number;
}

/**
 * One difference a user, in the baseline's order.
 * @throws RangeError when the two were not evaluated on the same users and requests
 */
export function pairedDifferences(challenger: Evaluation, baseline: Evaluation): PairedDifference[] {
  const byUser = new Map(challenger.perUser.map((row) => [row.user, row]));
  if (byUser.size !== baseline.perUser.length) {
    throw new RangeError(
      `paired differences: expected the same users, got ${byUser.size} and ${baseline.perUser.length}; evaluate both on one request set`,
    );
  }
  return baseline.perUser.map((theirs) => {
    const ours = byUser.get(theirs.user);
    if (ours === undefined || ours.requests !== theirs.requests) {
      throw new RangeError(
        `paired differences: expected ${theirs.requests} requests of user ${theirs.user} on both sides, got ${ours?.requests ?? 0}; evaluate both on one request set`,
      );
    }
    return { user: theirs.user, difference: ours.ndcg - theirs.ndcg };
  });
}

/** Mean lift of the challenger with its interval over users. */
export function lift(challenger: Evaluation, baseline: Evaluation, options: BootstrapOptions): Estimate {
  return bootstrapMean(
    pairedDifferences(challenger, baseline).map(({ difference }) => difference),
    options,
  );
}

export interface CohortEstimate extends Estimate {
  readonly users: number;
}

/** nDCG by cohort; a cohort without users is absent, never 0. */
export function ndcgByCohort(
  evaluation: Evaluation,
  options: BootstrapOptions,
  thresholds?: CohortThresholds,
): Partial<Record<Cohort, CohortEstimate>> {
  const estimates: Partial<Record<Cohort, CohortEstimate>> = {};
  for (const cohort of COHORTS) {
    const inCohort = (row: UserEvaluation) => cohortOf(row.historyLength, thresholds) === cohort;
    const values = evaluation.perUser.filter(inCohort).map((row) => row.ndcg);
    if (values.length > 0) estimates[cohort] = { ...bootstrapMean(values, options), users: values.length };
  }
  return estimates;
}
