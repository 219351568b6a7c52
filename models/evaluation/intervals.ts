import { type BootstrapOptions, bootstrapMeans } from "./bootstrap.ts";
import { COHORTS, cohortOf } from "./cohorts.ts";
import type { Estimate, EvaluationSummary, MetricIntervals, UserMetric } from "./report.ts";

type UserRow = { readonly historyLength: number } & Readonly<Record<UserMetric, number>>;

const USER_METRICS: readonly UserMetric[] = [
  "ndcg",
  "map",
  "precision",
  "recall",
  "cappedRecall",
  "hitRate",
  "mrr",
  "novelty",
  "diversity",
];

/** Every metric with its bootstrap interval, over all users and within each cohort; the same users are drawn for all. */
export function metricIntervals(
  rows: readonly UserRow[],
  options: BootstrapOptions,
): NonNullable<EvaluationSummary["intervals"]> {
  const cohorts = COHORTS.flatMap((cohort) => {
    const members = rows.filter(({ historyLength }) => cohortOf(historyLength) === cohort);
    return members.length === 0 ? [] : [[cohort, intervalsOf(members, options)] as const];
  });
  return { all: intervalsOf(rows, options), cohorts: Object.fromEntries(cohorts) };
}

function intervalsOf(rows: readonly UserRow[], options: BootstrapOptions): MetricIntervals {
  const figures = USER_METRICS.map((metric) => Float64Array.from(rows, (row) => row[metric]));
  const estimates = bootstrapMeans(figures, options);
  return {
    users: rows.length,
    metrics: Object.fromEntries(
      USER_METRICS.map((metric, place): [UserMetric, Estimate] => [metric, estimates[place]]),
    ) as Record<UserMetric, Estimate>,
  };
}
