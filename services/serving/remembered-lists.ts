import type { ItemFilter, Query, Recommendation, Recommender, ScoredItem } from "../../models/recommender.ts";

/** Best items that are remembered: enough for a page and for what it leaves out. */
const DEPTH = 50;
/** Stands for "every item may be recommended". */
const ALL_ITEMS: ItemFilter = { has: () => true };

/** Null when it was asked for once: only what is asked for again is worth ranking deeper. */
type Remembered = { readonly hidden: ItemFilter | undefined; readonly best: Recommendation } | null;

/**
 * A recommender that ranks a history that stays (`Query.revision`) once, and answers from that ranking. The lists are
 * exactly those of the recommender itself: when all of the best are of one source, so are the first of them, and leaving
 * some items out moves the others up in their order.
 */
export function rememberingLists(recommender: Recommender): Recommender {
  const lists = new WeakMap<object, WeakMap<ItemFilter, Remembered>>();
  return {
    phase: recommender.phase,
    recipe: recommender.recipe,
    recommend(query) {
      const { revision, candidates = ALL_ITEMS, hidden, k } = query;
      if (revision === undefined || !(k >= 1 && k <= DEPTH)) return recommender.recommend(query);
      let byCandidates = lists.get(revision);
      if (byCandidates === undefined) {
        byCandidates = new WeakMap();
        lists.set(revision, byCandidates);
      }
      let known = byCandidates.get(candidates);
      if (known === undefined) {
        byCandidates.set(candidates, null);
        return recommender.recommend(query);
      }
      if (known === null || known.hidden !== hidden) {
        known = { hidden, best: recommender.recommend({ ...query, exclude: undefined, k: DEPTH }) };
        byCandidates.set(candidates, known);
      }
      return firstOf(known.best, query) ?? recommender.recommend(query);
    },
  };
}

/** Null when the remembered ones do not suffice. */
function firstOf({ items, source }: Recommendation, { exclude, k }: Query): Recommendation | null {
  if (source === "model+popular") return null;
  const first: ScoredItem[] = [];
  for (const item of items) {
    if (first.length === k) break;
    if (exclude?.has(item.itemId) !== true) first.push(item);
  }
  return first.length === k ? { items: first, source } : null;
}
