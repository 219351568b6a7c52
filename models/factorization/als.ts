import Type from "typebox";
import { type Compression, compressionSchema, decompressed } from "../arrays/compression.ts";
import type { TrainingSet } from "../data/interaction-matrix.ts";
import { seededRandom } from "../data/random.ts";
import { rowMasses } from "../data/sparse-rows.ts";
import { type AlsMethod, AlsSolver } from "../kernels/als-solver.ts";
import { yieldToEvents } from "../long-work.ts";
import type { FitOptions, Fitted, NamedArrays, Recipe, WarmStart } from "../recipe.ts";
import { foldInScorer } from "./fold-in.ts";
import { type Objective, ridgesOf } from "./objective.ts";
import { type Confidence, meanRating, sidesOf } from "./sides.ts";

export type AlsParams = Objective &
  Confidence & {
    readonly embeddingSize: number;
    readonly epochs: number;
    readonly method: AlsMethod;
    readonly recency: number;
    readonly compression: Compression;
  };

const positive = (description: string) => Type.Number({ exclusiveMinimum: 0, description });
const notNegative = (description: string) => Type.Number({ minimum: 0, description });

export const als: Recipe<AlsParams & Record<string, unknown>> = {
  name: "als",
  phase: 3,
  summary: "implicit matrix factorization by alternating least squares",
  schema: Type.Object(
    {
      embeddingSize: Type.Integer({ minimum: 1, maximum: 512, description: "Factors of a user and an item" }),
      epochs: Type.Integer({ minimum: 1, maximum: 200, description: "Sweeps over both sides" }),
      method: Type.Enum(["cholesky", "conjugate-gradient"], {
        description: "Exact solves, or conjugate gradients: faster sweeps that each improve a little less",
      }),
      reg: positive("Ridge λ per unit of interaction weight"),
      unobservedWeight: positive(
        "Weight α₀ of every user–item pair towards 0, beside 1 for an observed pair",
      ),
      regExponent: notNegative("ν: how the ridge grows with a row's interactions; 1 in proportion, 0 not"),
      recency: notNegative("Events after which a history item counts 1/e when serving; 0 counts all alike"),
      ratingExponent: notNegative(
        "An interaction counts (rating / mean rating)^this, in training and in a history; 0 ignores ratings",
      ),
      halfLifeDays: notNegative("Days after which a training interaction counts half; 0 ignores age"),
      sideWeight: notNegative(
        "Interactions that an item's genres and release years weigh together; 0 ignores them",
      ),
      compression: compressionSchema,
    },
    { additionalProperties: false },
  ),
  defaults: {
    embeddingSize: 64,
    epochs: 10,
    method: "cholesky",
    reg: 0.01,
    unobservedWeight: 0.3,
    regExponent: 1,
    recency: 20,
    ratingExponent: 0,
    halfLifeDays: 1500,
    sideWeight: 3,
    compression: "none",
  },
  unorderedDefaults: { recency: 0, halfLifeDays: 0, reg: 0.012, unobservedWeight: 0.5, epochs: 16 },
  undatedDefaults: { recency: 10, halfLifeDays: 0 },
  space: {
    reg: { kind: "log", low: 0.001, high: 0.1 },
    unobservedWeight: { kind: "log", low: 0.03, high: 3 },
    embeddingSize: { kind: "choice", values: [32, 64, 128] },
    recency: { kind: "log", low: 5, high: 200 },
    ratingExponent: { kind: "linear", low: 0, high: 1 },
    halfLifeDays: { kind: "log", low: 180, high: 6000 },
    sideWeight: { kind: "log", low: 0.3, high: 30 },
  },
  budget: ["epochs"],
  levers: [
    {
      name: "recent history",
      summary: "the newest items of a history count most when it is folded in",
      off: { recency: 0 },
      on: { recency: 20 },
    },
    {
      name: "fading interactions",
      summary: "what was learned long ago counts less in training",
      off: { halfLifeDays: 0 },
      on: { halfLifeDays: 1500 },
    },
    {
      name: "rating confidence",
      summary: "what was rated higher counts more, in training and in a history",
      off: { ratingExponent: 0 },
      on: { ratingExponent: 0.5 },
    },
    {
      name: "genres and years",
      summary: "items of a kind share what is learned of each",
      off: { sideWeight: 0 },
      on: { sideWeight: 3 },
    },
  ],
  compressible: { itemFactors: "compression" },
  fit,
  scorer: (arrays, params) => foldInScorer(decompressed(arrays), params),
};

/**
 * Share of the sweeps that a warm start needs for what a cold one reaches: `bench/warm-start` prints the figures behind
 * it. Most of a cold fit goes into finding the subspace that the last version has found already.
 */
const WARM_SHARE = 0.3;

/** Steps of conjugate gradients a row and sweep. */
const CG_STEPS = 3;

/**
 * Item factors start as those of `options.warmStart`, where it has the item and factors of this size, else normal with
 * standard deviation 0.1/√d. Users need no start: the first half sweep solves for them.
 */
async function fit(train: TrainingSet, params: AlsParams, options: FitOptions): Promise<Fitted> {
  const { embeddingSize: d } = params;
  const warm = warmFactors(options.warmStart, d);
  const epochs = warm === null ? params.epochs : Math.ceil(WARM_SHARE * params.epochs);
  const sides = sidesOf(train, params);
  const userRidges = ridgesOf(sides.users, params);
  const itemRidges = ridgesOf(sides.items, params);
  const mass = rowMasses(sides.items).reduce((sum, row) => sum + row, 0);
  const solver = await AlsSolver.open(
    { ...sides, userRidges, itemRidges },
    {
      d,
      unobservedWeight: params.unobservedWeight,
      method: params.method,
      steps: CG_STEPS,
      threads: options.threads ?? 1,
    },
    startingFactors(train, d, options, warm),
  );
  const losses: number[] = [];
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      options.signal?.throwIfAborted();
      solver.solveUsers();
      await yieldToEvents();
      const explained = solver.solveItems();
      const loss = (mass - explained + solver.userPenalty(userRidges)) / mass;
      if (!Number.isFinite(loss)) {
        throw new RangeError(
          `als: expected a finite loss, got ${loss} in epoch ${epoch}; look for ratings or times that are no numbers, else raise reg`,
        );
      }
      losses.push(loss);
      options.onProgress?.({
        fraction: epoch / epochs,
        message: `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}`,
      });
      await yieldToEvents();
    }
    const arrays: NamedArrays = {
      itemFactors: { shape: [sides.items.rows, d], data: solver.itemFactors() },
      gram: { shape: [d, d], data: solver.itemGram() },
      ...(params.ratingExponent > 0 && {
        meanRating: { shape: [1], data: Float32Array.of(meanRating(train)) },
      }),
    };
    const report = { epochs, losses, stillImproving: stillFalling(losses), backend: "simd" };
    return {
      arrays,
      report: warm === null ? report : { ...report, warmStart: options.warmStart?.version },
    };
  } finally {
    await solver.close();
  }
}

/** Null when there are none, or none of this size. */
function warmFactors(warmStart: WarmStart | undefined, d: number): Float32Array | null {
  const earlier = warmStart && decompressed(warmStart.arrays).itemFactors;
  return earlier?.data instanceof Float32Array && earlier.shape[1] === d ? earlier.data : null;
}

function startingFactors(
  { interactions: { items } }: TrainingSet,
  d: number,
  { seed, warmStart }: FitOptions,
  warm: Float32Array | null,
): Float32Array {
  const factors = randomFactors(items.size, d, seed);
  if (warm === null) return factors;
  for (const [item, id] of items.ids.entries()) {
    const row = warmStart?.items.indexOf(id);
    if (row !== undefined) factors.set(warm.subarray(row * d, (row + 1) * d), item * d);
  }
  return factors;
}

function randomFactors(items: number, d: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return new Float32Array(items * d).map(() => (0.1 / Math.sqrt(d)) * random.normal());
}

/** Whether the last sweep still took more than a thousandth off the loss (per unit of interaction weight). */
function stillFalling(losses: readonly number[]): boolean {
  if (losses.length < 2) return true;
  const [before, last] = losses.slice(-2);
  return before - last > 1e-3 * before;
}
