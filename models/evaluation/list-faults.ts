import type { ItemId } from "../data/ids.ts";
import type { ItemFilter, ScoredItem } from "../recommender.ts";

/** What can be wrong with a list besides being a bad guess. None of these is ever tolerated. */
export const LIST_FAULTS = [
  "non-finite-score",
  "empty-list",
  "short-list",
  "long-list",
  "duplicate-item",
  "seen-item",
  "unknown-item",
  "hidden-item",
] as const;

export type ListFault = (typeof LIST_FAULTS)[number];

export type FaultCounts = Readonly<Record<ListFault, number>>;

export interface ListRules {
  readonly k: number;
  /** Items of the user's history. */
  readonly seen: ItemFilter;
  /** The catalogue: items that exist. */
  readonly known?: ItemFilter | undefined;
  /** Items that must not be shown. */
  readonly exclude?: ItemFilter | undefined;
  /** When given, only these may be shown. */
  readonly candidates?: ItemFilter | undefined;
  /** How many items could have been shown; a list of min(k, available) is complete (default: k). */
  readonly available?: number | undefined;
}

/** The distinct faults of one list; empty when it keeps every rule. */
export function listFaults(list: readonly ScoredItem[], rules: ListRules): ReadonlySet<ListFault> {
  const faults = new Set<ListFault>();
  const expected = Math.min(rules.k, rules.available ?? rules.k);
  if (list.length === 0 && expected > 0) faults.add("empty-list");
  else if (list.length < expected) faults.add("short-list");
  if (list.length > rules.k) faults.add("long-list");
  const shown = new Set<ItemId>();
  for (const { itemId, score } of list) {
    if (!Number.isFinite(score)) faults.add("non-finite-score");
    if (shown.has(itemId)) faults.add("duplicate-item");
    shown.add(itemId);
    if (rules.seen.has(itemId)) faults.add("seen-item");
    if (rules.known !== undefined && !rules.known.has(itemId)) faults.add("unknown-item");
    if (rules.exclude?.has(itemId) || (rules.candidates !== undefined && !rules.candidates.has(itemId))) {
      faults.add("hidden-item");
    }
  }
  return faults;
}

export function noFaults(): Record<ListFault, number> {
  return Object.fromEntries(LIST_FAULTS.map((fault) => [fault, 0])) as Record<ListFault, number>;
}
