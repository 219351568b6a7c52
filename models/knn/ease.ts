import Type from "typebox";
import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import type { WeightedRows } from "../data/sparse-rows.ts";
import type { Recipe } from "../recipe.ts";
import { gramInverse, LARGEST_EDGE } from "./gram-inverse.ts";
import { historyScorer, UNIFORM_RECENCY } from "./history-scorer.ts";
import { arraysOf, itemRowsOf } from "./item-rows.ts";
import { mostUsed, placesOf, restrictedTo } from "./most-used.ts";
import { strongestRows } from "./strongest-rows.ts";

export type EaseParams = {
  readonly reg: number;
  readonly neighbours: number;
  readonly recency: number;
};

/**
 * EASE: the item–item weights that best rebuild every row from its other entries,
 *   B = argmin ‖X − X·B‖² + reg·‖B‖², diag B = 0   ⇒   B_ij = −P_ij / P_jj,  P = (XᵀX + reg·I)⁻¹
 * (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, eq. 8). Each column keeps its
 * `neighbours` entries of largest magnitude, whatever their sign. Where both items and users are more than can be
 * inverted, the most used items take part, and the others are left to popularity.
 */
export async function easeWeights(
  interactions: InteractionMatrix,
  { reg, neighbours }: Pick<EaseParams, "reg" | "neighbours">,
  threads: number,
  largestEdge = LARGEST_EDGE,
): Promise<WeightedRows> {
  const { users, items } = interactions;
  const fits = Math.min(users.size, items.size) <= largestEdge;
  const columns = mostUsed(interactions, fits ? items.size : largestEdge).sort();
  const { length } = columns;
  const places = placesOf(columns, items.size);
  const readColumn = await gramInverse(
    fits ? interactions : restrictedTo(columns, interactions),
    reg,
    threads,
  );
  const values = new Float32Array(length);
  return strongestRows(items.size, neighbours, (item) => {
    const place = places[item];
    if (place < 0) return { columns, values, count: 0 };
    readColumn(place, values);
    const scale = -1 / values[place];
    for (let other = 0; other < length; other++) values[other] *= scale;
    values[place] = 0;
    return { columns, values, count: length };
  });
}

export const ease: Recipe<EaseParams> = {
  name: "ease",
  phase: 2,
  summary: "closed-form linear autoencoder, for catalogues where it fits",
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
