import type { ItemId } from "../data/ids.ts";
import type { Random } from "../data/random.ts";

export type Team = "challenger" | "baseline";

export interface DraftedItem {
  readonly itemId: ItemId;
  /** Who gave it: feedback on the item credits this team. */
  readonly team: Team;
}

/**
 * Team-draft interleaving: the team with fewer picks, chosen by a coin on a tie, adds its best item that is not listed
 * yet, until the list is full. When one team has no items left the other fills the list, so a challenger that failed
 * (an empty list) takes no places. Source: Radlinski, Kurup & Joachims, CIKM 2008, section 3.3.
 */
export function teamDraft(
  lists: Readonly<Record<Team, readonly ItemId[]>>,
  k: number,
  random: Random,
): DraftedItem[] {
  const drafted: DraftedItem[] = [];
  const listed = new Set<ItemId>();
  const next = { challenger: 0, baseline: 0 };
  const picks = { challenger: 0, baseline: 0 };
  const best = (team: Team): ItemId | undefined => {
    while (listed.has(lists[team][next[team]])) next[team]++;
    return lists[team][next[team]];
  };
  while (drafted.length < k) {
    const lead = picks.challenger - picks.baseline;
    const turn: Team = lead < 0 || (lead === 0 && random.next() < 0.5) ? "challenger" : "baseline";
    const team = best(turn) === undefined ? otherTeam(turn) : turn;
    const itemId = best(team);
    if (itemId === undefined) break;
    listed.add(itemId);
    picks[team]++;
    drafted.push({ itemId, team });
  }
  return drafted;
}

/** Credits of one interleaved list: what the user chose from it, by the team that gave it. */
export function creditsOf(
  list: readonly DraftedItem[],
  chosen: ReadonlySet<ItemId>,
): Readonly<Record<Team, number>> {
  const credits = { challenger: 0, baseline: 0 };
  for (const { itemId, team } of list) if (chosen.has(itemId)) credits[team]++;
  return credits;
}

/**
 * d_u = (credits_c − credits_b) / (credits_c + credits_b) over all of one user's lists, in [−1, 1].
 * Null without credits: the user has not voted.
 */
export function interleavedDifference(credits: Readonly<Record<Team, number>>): number | null {
  const total = credits.challenger + credits.baseline;
  return total === 0 ? null : (credits.challenger - credits.baseline) / total;
}

function otherTeam(team: Team): Team {
  return team === "challenger" ? "baseline" : "challenger";
}
