import { hitPlaces, type ListMetric, requireRelevant } from "./ranked-list.ts";

/**
 * nDCG@k = DCG@k / IDCG@k with binary gain: DCG = Σ_{hits} 1 / log2(rank + 1), rank from 1;
 * IDCG sums the same over ranks 1 … min(k, |relevant|), so a list full of hits scores 1.
 * Source: Järvelin & Kekäläinen, ACM TOIS 20(4), 2002, with binary relevance.
 */
export const ndcg: ListMetric = (ranking, relevant, k) => {
  requireRelevant("nDCG", relevant);
  let gain = 0;
  for (const place of hitPlaces(ranking, relevant, k)) gain += 1 / Math.log2(place + 2);
  let ideal = 0;
  for (let place = 0; place < Math.min(k, relevant.size); place++) ideal += 1 / Math.log2(place + 2);
  return gain / ideal;
};
