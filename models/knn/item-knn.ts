import Type from "typebox";
import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import type { WeightedRows } from "../data/sparse-rows.ts";
import { nearestNeighbours } from "../kernels/neighbours.ts";
import type { Recipe } from "../recipe.ts";
import { historyScorer, UNIFORM_RECENCY } from "./history-scorer.ts";
import { arraysOf, itemRowsOf } from "./item-rows.ts";
import { userWeights, type Weighting } from "./user-weights.ts";

export type ItemKnnParams = {
  readonly weighting: Weighting;
  readonly shrinkage: number;
  readonly neighbours: number;
  readonly rarity: number;
  readonly recency: number;
};

/**
 * Each item's K most similar items: cosine of the columns of W, W_ui = w_u wherever user u has item i, shrunk by
 * C_ij / (C_ij + shrinkage) with C_ij the number of users who have both.
 */
function nearestItems(
  interactions: InteractionMatrix,
  { weighting, shrinkage, neighbours }: ItemKnnParams,
  threads: number,
): Promise<WeightedRows> {
  const { users, items, rowStarts, columns } = interactions;
  const perUser = userWeights(interactions, weighting);
  const weights = new Float32Array(columns.length);
  for (let user = 0; user < users.size; user++) {
    weights.fill(perUser[user], rowStarts[user], rowStarts[user + 1]);
  }
  const rows = { rows: users.size, others: items.size, starts: rowStarts, columns, weights };
  return nearestNeighbours(rows, { k: neighbours, shrinkage, threads });
}

/** Smallest inverse frequency: even what nearly everybody has says something. */
const LEAST_IDF = 0.01;

/**
 * What having a rare item says of a user is more than what having a common one says, so each neighbour i adds its
 * similarity times idf_i^rarity, idf_i = ln(users / (1 + users who have i)).
 */
function heedingRarity(
  nearest: WeightedRows,
  { users, columns }: InteractionMatrix,
  rarity: number,
): WeightedRows {
  if (rarity === 0) return nearest;
  const having = new Float64Array(nearest.others);
  for (const item of columns) having[item]++;
  const factors = having.map((count) => Math.max(LEAST_IDF, Math.log(users.size / (1 + count))) ** rarity);
  return {
    ...nearest,
    weights: nearest.weights.map((weight, slot) => weight * factors[nearest.columns[slot]]),
  };
}

export const itemKnn: Recipe<ItemKnnParams> = {
  name: "item-knn",
  phase: 2,
  summary: "items that the same people have, the newest history first",
  schema: Type.Object(
    {
      weighting: Type.Union([Type.Literal("bm25"), Type.Literal("tfidf"), Type.Literal("cosine")], {
        description: "How much each user's row counts in the cosine",
      }),
      shrinkage: Type.Number({
        minimum: 0,
        description: "Users in common at which a similarity counts half",
      }),
      neighbours: Type.Integer({ minimum: 1, description: "Most similar items kept of each item" }),
      rarity: Type.Number({
        minimum: 0,
        description: "Exponent of the inverse frequency that a history entry counts by; 0 counts all alike",
      }),
      recency: Type.Number({
        exclusiveMinimum: 0,
        description: "Events after which a history entry weighs 1/e; large for order-free data",
      }),
    },
    { additionalProperties: false },
  ),
  defaults: { weighting: "bm25", shrinkage: 20, neighbours: 100, rarity: 0, recency: 7 },
  unorderedDefaults: { shrinkage: 5, neighbours: 200, rarity: 0.5, recency: UNIFORM_RECENCY },
  undatedDefaults: { rarity: 0.5, recency: 4 },
  space: {
    weighting: { kind: "choice", values: ["bm25", "tfidf", "cosine"] },
    shrinkage: { kind: "log", low: 1, high: 300 },
    neighbours: { kind: "log", low: 20, high: 500, integer: true },
    recency: { kind: "log", low: 2, high: 500 },
  },
  fit: async ({ interactions }, params, { threads = 1 }) => {
    const nearest = await nearestItems(interactions, params, threads);
    return {
      arrays: arraysOf(heedingRarity(nearest, interactions, params.rarity)),
      report: { epochs: 1, losses: [], stillImproving: false, backend: "simd" },
    };
  },
  scorer: (arrays, { recency }) => historyScorer(itemRowsOf(arrays), recency),
};
