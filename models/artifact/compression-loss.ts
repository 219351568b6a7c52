import { groupedBy } from "../data/grouped-by.ts";
import { bootstrapMean } from "../evaluation/bootstrap.ts";
import { mean } from "../evaluation/moments.ts";
import { ndcg } from "../evaluation/ndcg.ts";
import { overlap } from "../evaluation/overlap.ts";
import type { Estimate } from "../evaluation/report.ts";
import type { RequestSet } from "../evaluation/requests.ts";
import { type Model, recommenderOf } from "../model.ts";

/** What compressing a fit cost and saved: the same fit, kept compressed and exactly, asked the same requests. */
export interface CompressionLoss {
  /** Length of the lists. */
  readonly k: number;
  readonly users: number;
  /** Share of a list that both have, mean over users. */
  readonly overlap: Estimate;
  /** nDCG of the compressed less that of the exact one, paired by user. */
  readonly ndcg: Estimate;
  /** Bytes of all arrays as they are kept, over those of the exact ones. */
  readonly bytesShare: number;
}

export function compressionLoss(
  { compressed, exact }: { readonly compressed: Model; readonly exact: Model },
  { requests }: Pick<RequestSet, "requests">,
  { k, seed }: { readonly k: number; readonly seed: number },
): CompressionLoss {
  const recommenders = [compressed, exact].map(recommenderOf);
  const overlaps: number[] = [];
  const differences: number[] = [];
  for (const [, asked] of groupedBy(requests, ({ user }) => user)) {
    const pairs = asked.map(({ history, relevant }) => {
      const [ours, theirs] = recommenders.map((recommender) =>
        recommender.recommend({ history, k }).items.map(({ itemId }) => itemId),
      );
      const wanted = new Set(relevant);
      return {
        overlap: overlap(ours, theirs, k),
        difference: ndcg(ours, wanted, k) - ndcg(theirs, wanted, k),
      };
    });
    overlaps.push(mean(pairs.map((pair) => pair.overlap)));
    differences.push(mean(pairs.map((pair) => pair.difference)));
  }
  return {
    k,
    users: overlaps.length,
    overlap: bootstrapMean(overlaps, { seed }),
    ndcg: bootstrapMean(differences, { seed }),
    bytesShare: bytesOf(compressed) / bytesOf(exact),
  };
}

function bytesOf({ arrays }: Model): number {
  return Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
}
