import { hitPlaces, type ListMetric, requireRelevant } from "./ranked-list.ts";

/** recall@k = hits / |relevant|. Below 1 even for a perfect list when |relevant| > k. */
export const recall: ListMetric = (ranking, relevant, k) => {
  requireRelevant("recall", relevant);
  return hitPlaces(ranking, relevant, k).length / relevant.size;
};

/**
 * capped recall@k = hits / min(k, |relevant|): 1 for a perfect list.
 * Source: Liang et al., Variational Autoencoders for Collaborative Filtering, WWW 2018, section 4.2, who call it
 * Recall@R. Never mix the two in one table.
 */
export const cappedRecall: ListMetric = (ranking, relevant, k) => {
  requireRelevant("capped recall", relevant);
  return hitPlaces(ranking, relevant, k).length / Math.min(k, relevant.size);
};
