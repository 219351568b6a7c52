import { MS_PER_DAY } from "../data/day.ts";
import type { TrainingSet } from "../data/interaction-matrix.ts";
import { type SparseRows, transposed } from "../data/sparse-rows.ts";
import { withSideInformation } from "./side-information.ts";

export interface Confidence {
  /** An interaction counts (rating / mean rating)^ratingExponent; 0 ignores ratings. */
  readonly ratingExponent: number;
  /** … times 0.5^(age / halfLifeDays), age back from the last training event; 0 ignores age. */
  readonly halfLifeDays: number;
  /** Interactions that an item's genres and release years weigh together; 0 ignores them. */
  readonly sideWeight: number;
}

/** The training set by user (and feature) and by item, each interaction with its confidence. */
export function sidesOf(
  train: TrainingSet,
  confidence: Confidence,
): { users: SparseRows; items: SparseRows } {
  const { users, items, rowStarts, columns } = train.interactions;
  const weights = weightsOf(train, confidence);
  const interactions = { rows: users.size, others: items.size, starts: rowStarts, columns, weights };
  const byUser = withSideInformation(interactions, train, confidence.sideWeight);
  return { users: byUser, items: transposed(byUser) };
}

function weightsOf(
  train: TrainingSet,
  { ratingExponent, halfLifeDays }: Pick<Confidence, "ratingExponent" | "halfLifeDays">,
): Float32Array | null {
  if (ratingExponent === 0 && halfLifeDays === 0) return null;
  const { weights: ratings, timestamps } = train.interactions;
  const mean = meanRating(train);
  return ratings.map((rating, slot) => {
    const liked = ratingConfidence(rating, mean, ratingExponent);
    const ageDays = (train.through - timestamps[slot]) / MS_PER_DAY;
    return halfLifeDays === 0 ? liked : liked * 0.5 ** (ageDays / halfLifeDays);
  });
}

/** Mean over the interactions, negative ones counted as 0; 1 where nothing is above 0. */
export function meanRating({ interactions: { weights: ratings } }: TrainingSet): number {
  let total = 0;
  for (const rating of ratings) total += Math.max(rating, 0);
  return total > 0 ? total / ratings.length : 1;
}

/** (rating / mean)^exponent, in training and when a history is folded in; 1 for everything where ratings are ignored. */
export function ratingConfidence(rating: number, mean: number, exponent: number): number {
  return exponent === 0 ? 1 : (Math.max(rating, 0) / mean) ** exponent;
}
