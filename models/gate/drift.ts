import type { Policy } from "./policy.ts";

/**
 * Population stability index of two histograms over the same bins: Σ (a_i − e_i)·ln(a_i / e_i), over shares.
 * Half a count is added to each bin, so that an empty one gives a large number and not infinity. Below 0.1 means stable,
 * above 0.25 changed. Source: Siddiqi, Credit Risk Scorecards, 2006.
 */
export function populationStabilityIndex(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length || expected.length === 0) {
    throw new RangeError(`PSI: expected the same bins, got ${expected.length} and ${actual.length}`);
  }
  const before = smoothedShares(expected);
  const now = smoothedShares(actual);
  return before.reduce((sum, share, bin) => sum + (now[bin] - share) * Math.log(now[bin] / share), 0);
}

function smoothedShares(counts: ArrayLike<number>): number[] {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) total += counts[bin] + 0.5;
  return Array.from(counts, (count) => (count + 0.5) / total);
}

/**
 * (items) the bin of each item. Items are sorted by popularity and cut into bins with about the same number of training
 * interactions each. How later interactions fall into the bins tells whether demand moved between head and tail.
 */
export function popularityBins(trainingCounts: ArrayLike<number>, bins = 10): Uint8Array {
  const order = Array.from({ length: trainingCounts.length }, (_, item) => item).sort(
    (a, b) => trainingCounts[b] - trainingCounts[a] || a - b,
  );
  let total = 0;
  for (const item of order) total += trainingCounts[item];
  const binOf = new Uint8Array(trainingCounts.length);
  let before = 0;
  for (const item of order) {
    binOf[item] = total === 0 ? 0 : Math.min(bins - 1, Math.floor((before / total) * bins));
    before += trainingCounts[item];
  }
  return binOf;
}

/** Histogram of history lengths over bins that double: 0, 1, 2–3, 4–7, … 512 and more. */
export function historyLengthHistogram(lengths: Iterable<number>): number[] {
  const histogram = new Array<number>(11).fill(0);
  for (const length of lengths)
    histogram[length === 0 ? 0 : Math.min(10, 1 + Math.floor(Math.log2(length)))]++;
  return histogram;
}

export interface DriftEvidence {
  readonly popularity: { readonly expected: ArrayLike<number>; readonly actual: ArrayLike<number> };
  readonly historyLength: { readonly expected: ArrayLike<number>; readonly actual: ArrayLike<number> };
  /** Shares of events on items that were unknown to the model trained before them. */
  readonly unknownItems: { readonly expected: number; readonly actual: number };
  /** Shares of requests by users without any history. */
  readonly unknownUsers: { readonly expected: number; readonly actual: number };
  readonly eventsPerDay: { readonly expected: number; readonly actual: number };
}

export interface DriftSignal {
  readonly name: "popularity" | "history-length" | "unknown-items" | "unknown-users" | "event-rate";
  readonly value: number;
  readonly limit: number;
  readonly drifted: boolean;
}

/** Reasons to retrain. Drift never decides between two models: both answer the same traffic. */
export function driftSignals(evidence: DriftEvidence, limits: Policy["drift"]): DriftSignal[] {
  const { popularity, historyLength, unknownItems, unknownUsers, eventsPerDay } = evidence;
  const rate = eventsPerDay.actual / eventsPerDay.expected;
  const signal = (name: DriftSignal["name"], value: number, limit: number): DriftSignal => ({
    name,
    value,
    limit,
    drifted: value > limit,
  });
  return [
    signal(
      "popularity",
      populationStabilityIndex(popularity.expected, popularity.actual),
      limits.popularityPsi,
    ),
    signal(
      "history-length",
      populationStabilityIndex(historyLength.expected, historyLength.actual),
      limits.historyLengthPsi,
    ),
    signal("unknown-items", increase(unknownItems), limits.unknownItemRise),
    signal("unknown-users", increase(unknownUsers), limits.unknownUserRise),
    signal("event-rate", Math.max(rate, 1 / rate), limits.eventRateFactor),
  ];
}

/** A share that was always high is no change; only its increase is. */
function increase({ expected, actual }: DriftEvidence["unknownItems"]): number {
  return actual - expected;
}
