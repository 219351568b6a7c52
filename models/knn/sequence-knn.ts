import Type from "typebox";
import type { Recipe } from "../recipe.ts";
import { historyScorer, UNIFORM_RECENCY } from "./history-scorer.ts";
import { arraysOf, itemRowsOf } from "./item-rows.ts";
import { forerunners } from "./succession.ts";

export type SequenceKnnParams = {
  readonly decay: number;
  readonly window: number;
  readonly shrinkage: number;
  readonly neighbours: number;
  readonly recency: number;
};

export const sequenceKnn: Recipe<SequenceKnnParams> = {
  name: "sequence-knn",
  phase: 2,
  summary: "what people had soon after, the newest history first",
  schema: Type.Object(
    {
      decay: Type.Number({
        exclusiveMinimum: 0,
        description: "Events of distance at which a succession counts 1/e in training",
      }),
      window: Type.Integer({ minimum: 1, description: "Earlier events looked at for each event" }),
      shrinkage: Type.Number({ minimum: 0, description: "Users added to each item's count" }),
      neighbours: Type.Integer({ minimum: 1, description: "Strongest forerunners kept of each item" }),
      recency: Type.Number({
        exclusiveMinimum: 0,
        description: "Events after which a history entry weighs 1/e",
      }),
    },
    { additionalProperties: false },
  ),
  defaults: { decay: 20, window: 60, shrinkage: 20, neighbours: 200, recency: 20 },
  unorderedDefaults: { recency: UNIFORM_RECENCY },
  space: {
    decay: { kind: "log", low: 3, high: 100 },
    shrinkage: { kind: "log", low: 1, high: 300 },
    neighbours: { kind: "log", low: 20, high: 500, integer: true },
    recency: { kind: "log", low: 2, high: 200 },
  },
  fit: async (train, params) => ({
    arrays: arraysOf(forerunners(train.interactions, params)),
    report: { epochs: 1, losses: [], stillImproving: false, backend: "javascript" },
  }),
  scorer: (arrays, { recency }) => historyScorer(itemRowsOf(arrays), recency),
};
