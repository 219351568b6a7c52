import type { Cohort } from "./cohorts.ts";
import type { Metrics, UserMetric } from "./metrics.ts";

/** A mean over users with its 95 % bootstrap interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

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
