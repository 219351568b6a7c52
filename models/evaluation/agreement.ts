import type { UserId } from "../data/ids.ts";
import type { Recommender } from "../recommender.ts";
import { bootstrapMeans } from "./bootstrap.ts";
import { overlap, rankBiasedOverlap } from "./overlap.ts";
import type { Estimate } from "./report.ts";
import type { EvaluationRequest, RequestSet } from "./requests.ts";

/** How alike two models' lists are: two that agree cannot differ in any other figure. */
export interface Agreement {
  /** Share of the items in both lists. */
  readonly overlap: Estimate;
  /** Rank-biased overlap, p = .9: agreement at the top counts most. */
  readonly rankBiased: Estimate;
  readonly users: number;
}

/** Asks both models each user's last request; means over users with 95 % bootstrap intervals. */
export function agreement(
  one: Recommender,
  other: Recommender,
  { requests }: Pick<RequestSet, "requests">,
  { k, seed }: { readonly k: number; readonly seed: number },
): Agreement {
  const last = new Map<UserId, EvaluationRequest>();
  for (const request of requests) last.set(request.user, request);
  const listOf = (model: Recommender, { history }: EvaluationRequest) =>
    model.recommend({ history, k }).items.map(({ itemId }) => itemId);
  const pairs = Array.from(
    last.values(),
    (request) => [listOf(one, request), listOf(other, request)] as const,
  );
  const [shared, ranked] = bootstrapMeans(
    [pairs.map(([a, b]) => overlap(a, b, k)), pairs.map(([a, b]) => rankBiasedOverlap(a, b))],
    { seed },
  );
  return { overlap: shared, rankBiased: ranked, users: pairs.length };
}
