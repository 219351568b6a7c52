/** Users by how much was known of them at their first request: the same model can help one and hurt another. */
export type Cohort = "cold" | "light" | "heavy";

export const COHORTS: readonly Cohort[] = ["cold", "light", "heavy"];

export interface CohortThresholds {
  /** Fewer interactions than this: cold. */
  readonly coldBelow: number;
  /** This many interactions or more: heavy; light in between. */
  readonly heavyFrom: number;
}

export const DEFAULT_COHORTS: CohortThresholds = { coldBelow: 5, heavyFrom: 50 };

export function cohortOf(historyLength: number, thresholds: CohortThresholds = DEFAULT_COHORTS): Cohort {
  if (historyLength < thresholds.coldBelow) return "cold";
  return historyLength < thresholds.heavyFrom ? "light" : "heavy";
}
