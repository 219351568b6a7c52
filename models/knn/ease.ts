import Type from "typebox";
import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import type { WeightedRows } from "../data/sparse-rows.ts";
import type { Recipe } from "../recipe.ts";
import { gramInverse } from "./gram-inverse.ts";
import { historyScorer, UNIFORM_RECENCY } from "./history-scorer.ts";
import { arraysOf, itemRowsOf } from "./item-rows.ts";
import { limitedTo, mostUsed, placesOf } from "./most-used.ts";
import { strongestRows } from "./strongest-rows.ts";

export type EaseParams = {
  readonly reg: number;
  readonly neighbours: number;
  readonly recency: number;
};

/** Edge of the largest matrix inverted here: two of 256 MB, and half a minute on one core. */
const LARGEST_EDGE = 8000;

/**
 * EASE: the item–item weights that best rebuild every row from its other entries,
 *   B = argmin ‖X − X·B‖² + reg·‖B‖², diag B = 0   ⇒   B_ij = −P_ij / P_jj,  P = (XᵀX + reg·I)⁻¹
 * (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, eq. 8). Each column keeps its
 * `neighbours` entries of largest magnitude, whatever their sign. Where both users and items are more than
 * `largestEdge`, the most used items alone take part.
 */
export async function easeWeights(
  interactions: InteractionMatrix,
  { reg, neighbours }: Pick<EaseParams, "reg" | "neighbours">,
  threads: number,
  largestEdge = LARGEST_EDGE,
): Promise<WeightedRows> {
  const { users, items } = interactions;
  const fits = Math.min(users.size, items.size) <= largestEdge;
  const chosen = mostUsed(interactions, fits ? items.size : largestEdge).sort();
  const places = placesOf(chosen, items.size);
  const readColumn = await gramInverse(limitedTo(interactions, chosen), reg, threads);
  const values = new Float32Array(chosen.length);
  return strongestRows(items.size, neighbours, (item) => {
    const own = places[item];
    if (own < 0) return { columns: chosen, values, count: 0 };
    readColumn(own, values);
    const scale = -1 / values[own];
    for (let other = 0; other < values.length; other++) values[other] *= scale;
    values[own] = 0;
    return { columns: chosen, values, count: values.length };
  });
}

export const ease: Recipe<EaseParams> = {
  name: "ease",
  phase: 2,
  summary: "closed-form linear autoencoder; of a large catalogue its 8,000 most used items",
  schema: Type.Object(
    {
      reg: Type.Number({ exclusiveMinimum: 0, description: "Ridge on the item–item weights" }),
      neighbours: Type.Integer({ minimum: 1, description: "Strongest sources kept of each item" }),
      recency: Type.Number({
        exclusiveMinimum: 0,
        description: "Events after which a history entry weighs 1/e; large for order-free data",
      }),
    },
    { additionalProperties: false },
  ),
  defaults: { reg: 300, neighbours: 500, recency: 20 },
  unorderedDefaults: { recency: UNIFORM_RECENCY, neighbours: 2000 },
  space: {
    reg: { kind: "log", low: 10, high: 5000 },
    recency: { kind: "log", low: 2, high: 1000 },
  },
  fit: async (train, params, { threads = 1 }) => ({
    arrays: arraysOf(await easeWeights(train.interactions, params, threads)),
    report: { epochs: 1, losses: [], stillImproving: false, backend: "simd" },
  }),
  scorer: (arrays, { recency }) => historyScorer(itemRowsOf(arrays), recency),
};
