import type { ItemId } from "./data/ids.ts";
import type { Interaction } from "./data/interaction-log.ts";
import type { Phase } from "./recipe.ts";

/** Anything that can say whether an item may be shown: a Set of ids, a genre index, … */
export interface ItemFilter {
  has(item: ItemId): boolean;
}

export interface Query {
  /** What this user did so far, oldest first. Items in it are never recommended. */
  readonly history: readonly Interaction[];
  /** Stands for this very history: as long as the same object is given, a list may be remembered. */
  readonly revision?: object | undefined;
  /** Further items never to recommend. Asked only of items that are good enough for the list. */
  readonly exclude?: ItemFilter | undefined;
  /** Items that nobody may be shown now; the same object until they change, since a mask is kept for it. */
  readonly hidden?: ItemFilter | undefined;
  /** When given, only these items may be recommended. */
  readonly candidates?: ItemFilter | undefined;
  readonly k: number;
}

export interface ScoredItem {
  readonly itemId: ItemId;
  /** Comparable within one list only. */
  readonly score: number;
}

/**
 * Where a list came from: `model` scored it from the history; `popular` means the history said nothing to
 * the model (empty, or only unknown items), so the list is the popularity floor; `model+popular` was topped up.
 */
export const SOURCES = ["model", "model+popular", "popular"] as const;
export type Source = (typeof SOURCES)[number];

export interface Recommendation {
  /** At most k distinct items, best first; fewer only when fewer may be shown. */
  readonly items: readonly ScoredItem[];
  readonly source: Source;
}

/** What every phase becomes once it is fitted: histories in, ranked lists out. */
export interface Recommender {
  readonly phase: Phase;
  readonly recipe: string;
  recommend(query: Query): Recommendation;
}
