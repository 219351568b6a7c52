import type { ItemId } from "../../models/data/ids.ts";
import { type ListFault, listFaults } from "../../models/evaluation/list-faults.ts";
import type { Model } from "../../models/model.ts";
import type { Query, ScoredItem } from "../../models/recommender.ts";

/** Rules that an answer in the shadow breaks, by what could have been shown. */
export function brokenRules(
  { items }: Pick<Model, "items">,
  list: readonly ScoredItem[],
  query: Query,
): ListFault[] {
  const seen = new Set<ItemId>(query.history.map((interaction) => interaction.itemId));
  const { candidates, exclude, k } = query;
  let available = 0;
  for (const item of items.ids) {
    if (seen.has(item) || exclude?.has(item) === true || candidates?.has(item) === false) continue;
    if (++available === k) break;
  }
  return [...listFaults(list, { k, seen, exclude, candidates, known: items, available })];
}
