import type { CompressionLoss } from "../artifact/compression-loss.ts";
import type {
  Choice,
  DataProvenance,
  ImportOrigin,
  Manifest,
  TrainingCost,
  Trial,
} from "../artifact/manifest.ts";
import type { LearningCurve } from "../evaluation/learning-curve.ts";
import type { EvaluationSummary } from "../evaluation/report.ts";
import type { Params, Phase, TrainingReport } from "../recipe.ts";
import type { Findings } from "./findings.ts";
import type { LeverReport } from "./levers.ts";
import type { Standing } from "./standing.ts";

/**
 * What a reader needs to trust, or distrust, a version. Facts come from its manifest, which is hashed with it and
 * never changes; findings are what was measured of it since, null until an analysis has run.
 */
export interface ModelCard {
  readonly version: string;
  /** As of when the card was asked for; null in the copy that is stored with the arrays. */
  readonly standing: Standing | null;
  readonly phase: Phase;
  readonly recipe: string;
  readonly seed: number;
  readonly items: number;
  readonly data: DataProvenance;
  readonly params: Params;
  /** Every trial of the search, in the order they finished, the starting parameters first; none without a search. */
  readonly trials: readonly Trial[];
  /** Which of them gave the parameters, and why. */
  readonly choice: Choice | null;
  /** Where its arrays came from, when they were trained elsewhere. */
  readonly imported: ImportOrigin | null;
  readonly holdout: EvaluationSummary;
  /** What compression cost on the holdout; null when every array is exact. */
  readonly compression: CompressionLoss | null;
  readonly training: TrainingReport;
  readonly cost: TrainingCost;
  readonly diagnosis: (Findings["diagnosis"] & Pick<Findings, "baseline" | "lift" | "agreement">) | null;
  readonly levers: LeverReport | null;
  readonly learningCurve: LearningCurve | null;
  /** The rest of what was measured, how, and what was left out. */
  readonly analysis: Pick<Findings, "evidence" | "omitted" | "dataSha256" | "seconds" | "measuredAt"> | null;
  readonly code: Manifest["code"];
  /** ISO 8601. */
  readonly createdAt: string;
}

export function modelCard(
  manifest: Manifest,
  findings: Findings | null,
  standing: Standing | null = null,
): ModelCard {
  const { version, phase, recipe, seed, items, data, params, trials, training, cost, code, createdAt } =
    manifest;
  const made = { version, phase, recipe, seed, items, data, params, trials, training, cost, code, createdAt };
  const facts = {
    ...made,
    standing,
    choice: manifest.choice ?? null,
    imported: manifest.imported ?? null,
    holdout: manifest.offline,
    compression: manifest.compression ?? null,
  };
  if (findings === null) {
    return { ...facts, diagnosis: null, levers: null, learningCurve: null, analysis: null };
  }
  const { diagnosis, baseline, lift, agreement, levers, evidence, omitted, dataSha256, seconds, measuredAt } =
    findings;
  return {
    ...facts,
    diagnosis: { ...diagnosis, baseline, lift, agreement },
    levers,
    learningCurve: findings.learningCurve,
    analysis: { evidence, omitted, dataSha256, seconds, measuredAt },
  };
}
