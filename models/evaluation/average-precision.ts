import { hitPlaces, type ListMetric, requireRelevant } from "./ranked-list.ts";

/**
 * AP@k = (1 / |relevant|) · Σ_{hits} precision at that hit; its mean over users is MAP@k.
 * The denominator is |relevant|, not min(k, |relevant|): the published MovieLens tables use this one.
 * Source: Manning, Raghavan & Schütze, Introduction to Information Retrieval, section 8.4.
 */
export const averagePrecision: ListMetric = (ranking, relevant, k) => {
  requireRelevant("average precision", relevant);
  let sum = 0;
  hitPlaces(ranking, relevant, k).forEach((place, hitsBefore) => {
    sum += (hitsBefore + 1) / (place + 1);
  });
  return sum / relevant.size;
};
