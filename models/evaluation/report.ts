import type { Cohort } from "./cohorts.ts";

/** A mean over users with its 95 % bootstrap interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** The metrics of EVALUATION: means over users (each user's requests averaged first), lists cut at k. */
export interface Metrics {
  readonly ndcg: number;
  readonly map: number;
  readonly precision: number;
  readonly recall: number;
  /** hits / min(k, relevant). */
  readonly cappedRecall: number;
  readonly hitRate: number;
  readonly mrr: number;
  /** Distinct items shown / catalogue. */
  readonly coverage: number;
  /** Concentration of exposure over the catalogue, 0 even … 1 all on one item. */
  readonly gini: number;
  /** Mean −log2 popularity share of the items shown. */
  readonly novelty: number;
  /** 1 − mean pairwise genre cosine within a list. */
  readonly diversity: number;
}

/** The metrics that are means over users, and so have an interval. */
export type UserMetric = Exclude<keyof Metrics, "coverage" | "gini">;

export interface MetricIntervals {
  readonly users: number;
  readonly metrics: Readonly<Record<UserMetric, Estimate>>;
}

/** Small enough for a manifest; the per-user figures stay with the evaluation. */
export interface EvaluationSummary {
  readonly k: number;
  readonly users: number;
  readonly requests: number;
  /** Users that could have been asked, where only a sample of them was. */
  readonly sampledFrom?: number | undefined;
  /** Requests dropped because nothing relevant could be recommended. */
  readonly dropped: number;
  readonly ndcg: Estimate;
  readonly metrics: Metrics;
  /** Over all users, and by what was known of them at their first request; a cohort without users is absent. */
  readonly intervals?: {
    readonly all: MetricIntervals;
    readonly cohorts: Readonly<Partial<Record<Cohort, MetricIntervals>>>;
  };
}
