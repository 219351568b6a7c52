import type { InteractionMatrix } from "../data/interaction-matrix.ts";

export type Weighting = "bm25" | "tfidf" | "cosine";

const BM25_K1 = 1.2;
const BM25_B = 0.75;

/**
 * (users) how much one user's row speaks for the likeness of its items. Interactions are binary, so each weighting
 * has a factor of the user and one of the item, and the item's (BM25's idf) cancels in the cosine. What is left:
 *   bm25    (k1 + 1) / (k1·(1 − b + b·L_u / mean L) + 1), L_u the row's length  (Robertson & Zaragoza 2009, §3.4)
 *   tfidf   ln(1 + items / L_u): inverse user frequency                         (Breese et al., UAI 1998, §2.2.2)
 *   cosine  1
 */
export function userWeights(
  { users, items, rowStarts }: InteractionMatrix,
  weighting: Weighting,
): Float64Array {
  const meanLength = rowStarts[users.size] / users.size;
  return Float64Array.from({ length: users.size }, (_, user) => {
    const length = rowStarts[user + 1] - rowStarts[user];
    if (weighting === "bm25") {
      return (BM25_K1 + 1) / (BM25_K1 * (1 - BM25_B + (BM25_B * length) / meanLength) + 1);
    }
    return weighting === "tfidf" ? Math.log(1 + items.size / length) : 1;
  });
}
