import Type from "typebox";
import type { InteractionMatrix, TrainingSet } from "../data/interaction-matrix.ts";
import type { WeightedRows } from "../data/sparse-rows.ts";
import { KernelPool } from "../kernels/pool.ts";
import { PanelMatrix } from "../linear-algebra/panel-matrix.ts";
import { solve } from "../linear-algebra/positive-definite.ts";
import type { Recipe } from "../recipe.ts";
import { historyScorer, UNIFORM_RECENCY } from "./history-scorer.ts";
import { arraysOf, itemRowsOf } from "./item-rows.ts";
import { mostUsed, placesOf } from "./most-used.ts";
import { strongestRows } from "./strongest-rows.ts";

export type SlistParams = {
  readonly reg: number;
  readonly decay: number;
  readonly window: number;
  readonly maxItems: number;
  readonly neighbours: number;
  readonly recency: number;
};

/**
 * Closed-form linear next-item model: with w_e the decayed window of items before event e, and s_e the item of e,
 *   B = argmin Σ_e ‖w_eᵀB − onehot(s_e)‖² + reg·‖B‖²  =  (Σ_e w_e·w_eᵀ + reg·I)⁻¹ (Σ_e w_e·onehot(s_e)ᵀ)
 * (items × items), of which each column keeps its strongest entries. After Choi et al., "Session-aware linear item-item
 * models" (WWW 2021, §3.3, SLIT), with one window an event. Cubic in items, so only the `maxItems` most used take part.
 */
async function linearSuccession(
  interactions: InteractionMatrix,
  params: SlistParams,
  threads: number,
): Promise<WeightedRows> {
  const dense = mostUsed(interactions, params.maxItems);
  const place = placesOf(dense, interactions.items.size);
  const pool = await KernelPool.open(threads, () => 0);
  try {
    const gram = new PanelMatrix(pool.arena, dense.length);
    const next = new PanelMatrix(pool.arena, dense.length);
    addWindowMoments(gram, next, interactions, place, params);
    solve(pool, gram, next);
    const values = new Float32Array(dense.length);
    return strongestRows(place.length, params.neighbours, (item) => {
      if (place[item] < 0) return { columns: dense, values, count: 0 };
      next.readColumn(place[item], values);
      return { columns: dense, values, count: dense.length };
    });
  } finally {
    await pool.close();
  }
}

/**
 * gram += Σ_e w_e·w_eᵀ + reg·I (its upper triangle) and next += Σ_e w_e·onehot(s_e)ᵀ. Items `gap` events apart meet in
 * the windows of all the events that follow them both, until the earlier falls out of sight, with weights
 * exp(−(gap + t)/decay)·exp(−t/decay), t = 0, 1, …: one sum over t a pair instead of one addition a window.
 */
function addWindowMoments(
  gram: PanelMatrix,
  next: PanelMatrix,
  { users, rowStarts, columns }: InteractionMatrix,
  place: Int32Array,
  { reg, decay, window }: SlistParams,
): void {
  for (let row = 0; row < gram.size; row++) gram.add(row, row, reg);
  const closeness = Float64Array.from({ length: window }, (_, age) => Math.exp(-age / decay));
  /** meetings[n] = Σ_{t < n} closeness[t]² */
  const meetings = new Float64Array(window + 1);
  for (let age = 0; age < window; age++) meetings[age + 1] = meetings[age] + closeness[age] ** 2;
  for (let user = 0; user < users.size; user++) {
    const row = columns.subarray(rowStarts[user], rowStarts[user + 1]);
    const sequence = Int32Array.from(row, (item) => place[item]).filter((dense) => dense >= 0);
    for (let later = 0; later < sequence.length; later++) {
      const item = sequence[later];
      const following = sequence.length - 1 - later;
      gram.add(item, item, meetings[Math.min(following, window)]);
      for (let gap = 1; gap <= Math.min(window, later); gap++) {
        const earlier = sequence[later - gap];
        next.add(earlier, item, closeness[gap - 1]);
        if (gap === window) continue;
        const together = closeness[gap] * meetings[Math.min(following, window - gap)];
        gram.add(Math.min(earlier, item), Math.max(earlier, item), together);
      }
    }
  }
}

export const slist: Recipe<SlistParams> = {
  name: "slist",
  phase: 2,
  summary: "closed-form linear model of what comes next",
  schema: Type.Object(
    {
      reg: Type.Number({ exclusiveMinimum: 0, description: "Ridge on the item–item weights" }),
      decay: Type.Number({
        exclusiveMinimum: 0,
        description: "Events of distance at which a window entry counts 1/e in training",
      }),
      window: Type.Integer({ minimum: 1, description: "Earlier events looked at for each event" }),
      maxItems: Type.Integer({
        minimum: 1,
        maximum: 8000,
        description: "Most-used items that take part; time grows with its cube",
      }),
      neighbours: Type.Integer({ minimum: 1, description: "Strongest sources kept of each item" }),
      recency: Type.Number({
        exclusiveMinimum: 0,
        description: "Events after which a history entry weighs 1/e",
      }),
    },
    { additionalProperties: false },
  ),
  defaults: { reg: 300, decay: 20, window: 60, maxItems: 3000, neighbours: 200, recency: 20 },
  unorderedDefaults: { recency: UNIFORM_RECENCY },
  space: {
    reg: { kind: "log", low: 10, high: 5000 },
    decay: { kind: "log", low: 3, high: 100 },
    recency: { kind: "log", low: 2, high: 200 },
  },
  fit: async (train: TrainingSet, params, { threads = 1 }) => ({
    arrays: arraysOf(await linearSuccession(train.interactions, params, threads)),
    report: { epochs: 1, losses: [], stillImproving: false, backend: "simd" },
  }),
  scorer: (arrays, { recency }) => historyScorer(itemRowsOf(arrays), recency),
};
