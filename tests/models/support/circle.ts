import type { TrainingSet } from "../../../models/data/interaction-matrix.ts";
import { sasrec } from "../../../models/neural/sasrec.ts";
import type { SasrecParams } from "../../../models/neural/sasrec-params.ts";
import { trainingSetOf } from "./toy-data.ts";

const ITEMS = 12;

/** Every user walks the same circle of items, from a start of their own, most of the way round. */
export function circle(): TrainingSet {
  const walk = (start: number) => Array.from({ length: ITEMS - 2 }, (_, n) => `item${(start + n) % ITEMS}`);
  return trainingSetOf(
    Object.fromEntries(Array.from({ length: 3 * ITEMS }, (_, user) => [`user${user}`, walk(user % ITEMS)])),
  );
}

/** A network that trains in a moment: three epochs of search, two of refit. */
export const SMALL_SASREC: SasrecParams = {
  ...sasrec.defaults,
  embeddingSize: 16,
  maxLength: 6,
  batchSize: 16,
  stride: 3,
  dropout: 0.1,
  learningRate: 0.01,
  epochs: 3,
  patience: 2,
  refitEpochs: 2,
};
