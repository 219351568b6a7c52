import { hitPlaces, type ListMetric, requireRelevant } from "./ranked-list.ts";

/**
 * Reciprocal rank: 1 / rank of the first hit within k, 0 without one; its mean over users is MRR@k.
 * Source: Voorhees, TREC-8 Question Answering Track Report, 1999.
 */
export const reciprocalRank: ListMetric = (ranking, relevant, k) => {
  requireRelevant("reciprocal rank", relevant);
  const first = hitPlaces(ranking, relevant, k)[0];
  return first === undefined ? 0 : 1 / (first + 1);
};

/** Hit rate: 1 when any of the first k is relevant, else 0. */
export const hitRate: ListMetric = (ranking, relevant, k) => {
  requireRelevant("hit rate", relevant);
  return hitPlaces(ranking, relevant, k).length > 0 ? 1 : 0;
};
