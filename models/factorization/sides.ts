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
  let total = 0;
  for (const rating of ratings) total += Math.max(rating, 0);
  const mean = total > 0 ? total / ratings.length : 1;
  return ratings.map((rating, slot) => {
    const liked = ratingExponent === 0 ? 1 : (Math.max(rating, 0) / mean) ** ratingExponent;
    const ageDays = (train.through - timestamps[slot]) / MS_PER_DAY;
    return halfLifeDays === 0 ? liked : liked * 0.5 ** (ageDays / halfLifeDays);
  });
}
