import Type from "typebox";
import { matrixOf, vectorOf } from "../arrays/named-arrays.ts";
import { ItemScores } from "../kernels/item-scores.ts";
import { type HistoryItems, queryScorer } from "../ranking/query-scorer.ts";
import type { ItemScorer, NamedArrays, Recipe } from "../recipe.ts";
import { foldInScorer, recencyWeights } from "./fold-in.ts";
import type { Objective } from "./objective.ts";

/** How a history becomes a query vector: see `encoderScorer` and fold-in.ts. */
export const ENCODERS = ["mean", "recency", "fold-in"] as const;
export type Encoder = (typeof ENCODERS)[number];

export type ImportedParams = Readonly<Pick<Objective, keyof Objective>> & {
  readonly encoder: Encoder;
  readonly recency: number;
  readonly ratingExponent?: number;
  /** SHA-256 of the file that the factors came in: what the figures of one import are remembered by. */
  readonly source: string;
};

const PREFIX = "imported-";
const NAME = /^imported-[a-z0-9][a-z0-9-]{0,31}$/;

/** `imported-spark-als` for `spark-als`: two sources are two recipes, so neither passes for a refresh of the other. */
export function importedName(name: string): string {
  const full = name.startsWith(PREFIX) ? name : PREFIX + name;
  if (NAME.test(full)) return full;
  throw new RangeError(
    `recipe: expected a name of up to 32 small letters, digits and hyphens, got "${name}"; rename it`,
  );
}

export function isImported(recipe: string): boolean {
  return NAME.test(recipe);
}

/**
 * Item factors that were trained elsewhere. It can be served, judged, promoted and rolled back like any recipe; what it
 * cannot is be trained here, so it is in no list of recipes to train and is looked up by name alone.
 */
export function importedRecipe(name: string): Recipe<ImportedParams> {
  return {
    name,
    phase: 3,
    summary: "item factors trained elsewhere",
    schema: Type.Object(
      {
        encoder: Type.Enum([...ENCODERS], { description: "How a history becomes a query vector" }),
        recency: Type.Number({
          minimum: 0,
          description: "Events after which a history item counts 1/e; 0 counts all alike",
        }),
        reg: Type.Number({ exclusiveMinimum: 0, description: "Fold-in: ridge λ per unit of weight" }),
        unobservedWeight: Type.Number({
          exclusiveMinimum: 0,
          description: "Fold-in: weight α₀ of every item towards 0, beside 1 for one of the history",
        }),
        regExponent: Type.Number({ minimum: 0, description: "Fold-in: how the ridge grows with a history" }),
        ratingExponent: Type.Optional(
          Type.Number({
            minimum: 0,
            description: "Fold-in: a history item counts (rating / meanRating)^this; 0 ignores ratings",
          }),
        ),
        source: Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the imported file" }),
      },
      { additionalProperties: false },
    ),
    defaults: {
      encoder: "recency",
      recency: 20,
      reg: 0.01,
      unobservedWeight: 0.3,
      regExponent: 1,
      source: "0".repeat(64),
    },
    space: {},
    fit: () =>
      Promise.reject(
        new RangeError(
          `${name}: expected factors trained elsewhere, got a request to train them here; train them where they came from and run phasewise import-model`,
        ),
      ),
    scorer: (arrays, params) => {
      const bias = biasOf(arrays);
      return params.encoder === "fold-in"
        ? foldInScorer(arrays, params, bias)
        : encoderScorer(arrays, params.encoder === "mean" ? 0 : params.recency, bias);
    },
  };
}

/**
 * Scores V·x of the weighted mean x = Σ w_p·V[h_p] / Σ w_p of a history's item vectors, w_p = exp(−age/recency), age in
 * events back from the newest; recency 0 weighs all alike.
 *
 * @param arrays itemFactors (items × d)
 */
function encoderScorer(arrays: NamedArrays, recency: number, bias: Float32Array): ItemScorer {
  const { rows, columns: d, values } = matrixOf(arrays, "itemFactors");
  const scores = new ItemScores(values, rows, d);
  const { query } = scores;
  const average = ({ items }: HistoryItems): boolean => {
    const weights = recencyWeights(items.length, recency);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    query.fill(0);
    for (let place = 0; place < items.length; place++) {
      const share = weights[place] / total;
      const row = items[place] * d;
      for (let k = 0; k < d; k++) query[k] += share * values[row + k];
    }
    return items.length > 0;
  };
  return queryScorer(scores, average, bias);
}

/** `itemBias` (items); imports without biases have zeros. @throws RangeError */
function biasOf(arrays: NamedArrays): Float32Array {
  const bias = vectorOf(arrays, "itemBias", Float32Array);
  if (bias.length === matrixOf(arrays, "itemFactors").rows) return bias;
  throw new RangeError(`array "itemBias": expected one value an item, got ${bias.length}; import it again`);
}
