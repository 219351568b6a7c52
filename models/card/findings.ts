import type { Agreement } from "../evaluation/agreement.ts";
import type { LearningCurve } from "../evaluation/learning-curve.ts";
import type { Estimate } from "../evaluation/report.ts";
import type { DiagnosisEvidence, DiagnosisReport } from "../gate/diagnosis.ts";
import type { LeverReport } from "./levers.ts";

/**
 * What an analysis found out about a version after it was made. Not part of its artifact: an artifact says what a
 * model is and never changes, while findings depend on what it is compared with and may be measured again.
 */
export interface Findings {
  readonly version: string;
  /** What it was compared with: a version, or a recipe's name where nothing else was live. */
  readonly baseline: string;
  /** SHA-256 of the data that was measured on; the version's own unless that is gone. */
  readonly dataSha256: string;
  /** Challenger − baseline nDCG on the holdout, paired by user. */
  readonly lift: Estimate;
  /** How alike the lists of the two are, as both are served; absent in findings of before it was measured. */
  readonly agreement?: Agreement | undefined;
  readonly diagnosis: DiagnosisReport;
  readonly evidence: DiagnosisEvidence;
  readonly learningCurve: LearningCurve | null;
  /** Null when the recipe has none, or there was no time. */
  readonly levers: LeverReport | null;
  /** What was left out, and why, a sentence each. */
  readonly omitted: readonly string[];
  /** Seconds the analysis took, without what was known already. */
  readonly seconds: number;
  /** ISO 8601. */
  readonly measuredAt: string;
}
