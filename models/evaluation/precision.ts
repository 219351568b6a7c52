import { hitPlaces, type ListMetric, requireRelevant } from "./ranked-list.ts";

/** precision@k = hits / k. A short list is not forgiven: its missing places count as misses. */
export const precision: ListMetric = (ranking, relevant, k) => {
  requireRelevant("precision", relevant);
  return hitPlaces(ranking, relevant, k).length / k;
};
