import { type BootstrapOptions, bootstrapMeans } from "./bootstrap.ts";
import { COHORTS, cohortOf } from "./cohorts.ts";
import { eachUserMetric, USER_METRICS, type UserMetric } from "./metrics.ts";
import type { EvaluationSummary, MetricIntervals } from "./report.ts";

type UserRow = { readonly historyLength: number } & Readonly<Record<UserMetric, number>>;

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
  return { users: rows.length, metrics: eachUserMetric((metric) => estimates[USER_METRICS.indexOf(metric)]) };
}
