import type { ItemScores } from "../kernels/item-scores.ts";
import { ScoreBounds } from "../kernels/score-bounds.ts";
import type { BoundedScorer, EncodedHistory } from "../recipe.ts";

/**
 * Catalogues from this size on are ranked by bounds: float32 factors no longer fit into the caches, and reading a quarter
 * of the bytes saves more than looking twice costs. `bench:train` prints both.
 */
const LARGE = 20_000;

/** All that most of these models hear of a history. */
export type HistoryItems = Pick<EncodedHistory, "items">;

export interface QueryScorer<History extends HistoryItems> {
  scoreItems(history: History): Float32Array | null;
  readonly bounded?: {
    boundItems(history: History): Float32Array | null;
    readonly scoresOf: BoundedScorer["scoresOf"];
  };
}

/**
 * A model whose scores are inner products with one vector a history: V·x + bias.
 *
 * @param encode writes x into `scores.query`; false when the history says nothing
 * @param bias (items) null for none
 */
export function queryScorer<History extends HistoryItems>(
  scores: ItemScores,
  encode: (history: History) => boolean,
  bias: Float32Array | null = null,
): QueryScorer<History> {
  const withBias = (values: Float32Array): Float32Array => {
    if (bias !== null) for (let item = 0; item < values.length; item++) values[item] += bias[item];
    return values;
  };
  let bounds: ScoreBounds | undefined;
  return {
    scoreItems: (history) => (encode(history) ? withBias(scores.compute()) : null),
    ...(scores.items >= LARGE && {
      bounded: {
        boundItems: (history) => {
          bounds ??= new ScoreBounds(scores);
          return encode(history) ? withBias(bounds.compute()) : null;
        },
        scoresOf: (chosen) => {
          const values = scores.computeOf(chosen);
          if (bias !== null) for (const [place, item] of chosen.entries()) values[place] += bias[item];
          return values;
        },
      },
    }),
  };
}
