import { seededRandom } from "../data/random.ts";
import { quantile } from "./bootstrap.ts";
import type { Estimate } from "./report.ts";
import { signed } from "./signed.ts";

/** The same holdout users judged after learning from one share of the training users. */
export interface CurveSample {
  readonly share: number;
  /** Events learned from. */
  readonly events: number;
  /** A row for each part of that share that was tried: (holdout users) nDCG. */
  readonly parts: readonly (readonly number[])[];
}

export interface LearningCurve {
  /** Smallest share first. */
  readonly points: readonly { readonly share: number; readonly events: number; readonly ndcg: Estimate }[];
  /** What the last doubling of the data has gained. */
  readonly lastDoubling: Estimate;
  /** What one more doubling would gain, by the log-linear fit. */
  readonly nextDoubling: Estimate;
  /** "Would more data help?" */
  readonly answer: string;
}

/** A gain from twice the data that is worth collecting it: 3 % of the score. */
export const WORTH_COLLECTING = 0.03;
const RESAMPLES = 1000;

/**
 * nDCG(n) = a + b·log2 n by least squares over the shares: b is what each doubling of the events gains. A curve that
 * bends makes b optimistic, so the last doubling's own gain stands beside it. Intervals come from drawing holdout
 * users, the same for every share, and for each share one of its parts, so that they carry both who was judged and
 * who was learned from. Shares must ascend, each at least once measured; the last is all the data.
 */
export function learningCurve(samples: readonly CurveSample[], seed: number): LearningCurve {
  const users = samples[0]?.parts[0]?.length ?? 0;
  if (samples.length < 2 || users === 0) {
    throw new RangeError(
      `learning curve: expected two shares or more judged on the same users, got ${samples.length} and ${users} users`,
    );
  }
  const random = seededRandom(seed);
  const picks = new Uint32Array(users);
  const rounds = Array.from({ length: RESAMPLES }, () => {
    for (let slot = 0; slot < users; slot++) picks[slot] = random.integer(users);
    return samples.map(({ parts }) => meanAt(parts[random.integer(parts.length)], picks));
  });
  const everybody = Uint32Array.from({ length: users }, (_, user) => user);
  const whole = samples.map(({ parts }) => average(parts.map((part) => meanAt(part, everybody))));
  const doublings = samples.map(({ events }) => Math.log2(events));
  const estimate = (statistic: (ndcg: readonly number[]) => number): Estimate => {
    const resampled = Float64Array.from(rounds, statistic).sort();
    return { mean: statistic(whole), low: quantile(resampled, 0.025), high: quantile(resampled, 0.975) };
  };
  const points = samples.map(({ share, events }, at) => ({
    share,
    events,
    ndcg: estimate((row) => row[at]),
  }));
  const [before, full] = [samples.length - 2, samples.length - 1];
  const step = doublings[full] - doublings[before];
  const lastDoubling = estimate((row) => (row[full] - row[before]) / step);
  const nextDoubling = estimate((row) => slope(doublings, row));
  const curve = { points, lastDoubling, nextDoubling };
  return { ...curve, answer: answerOf(curve) };
}

/** Whether twice the data would help, with confidence and by enough to matter. */
export function stillRises({ points, lastDoubling, nextDoubling }: Omit<LearningCurve, "answer">): boolean {
  const enough = WORTH_COLLECTING * points[points.length - 1].ndcg.mean;
  return nextDoubling.low > 0 && nextDoubling.mean > enough && lastDoubling.mean > enough;
}

function answerOf(curve: Omit<LearningCurve, "answer">): string {
  const { points, nextDoubling, lastDoubling } = curve;
  const figures = `twice the data would bring about ${signed(nextDoubling.mean)} nDCG (${signed(nextDoubling.low)} to ${signed(nextDoubling.high)}); the last doubling brought ${signed(lastDoubling.mean)}`;
  if (stillRises(curve)) return `More data would help: ${figures}.`;
  const enough = WORTH_COLLECTING * points[points.length - 1].ndcg.mean;
  if (nextDoubling.high < enough) return `More data would hardly help: ${figures}.`;
  return `Whether more data would help cannot be told: ${figures}.`;
}

function meanAt(values: readonly number[], picks: Uint32Array): number {
  let sum = 0;
  for (const pick of picks) sum += values[pick];
  return sum / picks.length;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function slope(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [average(x), average(y)];
  const rise = x.reduce((sum, value, at) => sum + (value - meanX) * (y[at] - meanY), 0);
  return rise / x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
}
