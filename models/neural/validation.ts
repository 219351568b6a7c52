import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import { type Random, shuffle } from "../data/random.ts";
import type { ItemScorer } from "../recipe.ts";

const HORIZON_EVENTS = 10;

/** The end of the training time, set apart to tell when to stop. */
export interface ValidationWindow {
  /** (users) end of each row's part before the window. */
  readonly rowEnds: Uint32Array;
  /** Slots whose items are to be foreseen from what precedes them in their row. */
  readonly requests: readonly { readonly user: number; readonly slot: number }[];
}

/**
 * The last `share` of the events by time, with at most `maxRequests` requests spread evenly over its users.
 * A request needs a history.
 */
export function carveValidation(
  { rowStarts, timestamps }: InteractionMatrix,
  share: number,
  maxRequests: number,
  random: Random,
): ValidationWindow {
  const ordered = Float64Array.from(timestamps).sort();
  const opens = ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * (1 - share)))];
  const users = rowStarts.length - 1;
  const rowEnds = new Uint32Array(users);
  const perUser: Uint32Array[] = [];
  for (let user = 0; user < users; user++) {
    let end = rowStarts[user + 1];
    while (end > rowStarts[user] && timestamps[end - 1] >= opens) end--;
    rowEnds[user] = end;
    const first = Math.max(end, rowStarts[user] + 1);
    const slots = Uint32Array.from({ length: Math.max(0, rowStarts[user + 1] - first) }, (_, n) => first + n);
    perUser.push(shuffle(slots, random));
  }
  const requests: { user: number; slot: number }[] = [];
  const deepest = Math.max(0, ...perUser.map((slots) => slots.length));
  for (let round = 0; round < deepest && requests.length < maxRequests; round++) {
    for (let user = 0; user < users && requests.length < maxRequests; user++) {
      if (round < perUser[user].length) requests.push({ user, slot: perUser[user][round] });
    }
  }
  return { rowEnds, requests };
}

/**
 * Prequential nDCG of the whole ranking: binary gain, relevance = the next 10 items, seen items out of it, mean over
 * each user's requests, then over users. Without a cut at k every relevant item counts wherever it stands, so a few
 * hundred requests tell two epochs apart; at 10 most of them score 0.
 */
export function validationNdcg(
  { rowStarts, columns }: InteractionMatrix,
  { requests }: ValidationWindow,
  scorer: ItemScorer,
): number {
  const byUser = new Map<number, number[]>();
  for (const { user, slot } of requests) {
    const items = columns.subarray(rowStarts[user], slot);
    const relevant = new Set(columns.subarray(slot, Math.min(slot + HORIZON_EVENTS, rowStarts[user + 1])));
    const scores = scorer.scoreItems({
      items,
      weights: new Float32Array(items.length).fill(1),
      timestamps: new Float64Array(items.length),
    });
    const value = scores === null ? 0 : ndcg(scores, items, relevant);
    byUser.set(user, [...(byUser.get(user) ?? []), value]);
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return byUser.size === 0 ? 0 : mean([...byUser.values()].map(mean));
}

/** Overwrites the scores of seen items. */
function ndcg(scores: Float32Array, seen: Uint32Array, relevant: ReadonlySet<number>): number {
  for (const item of seen) scores[item] = Number.NEGATIVE_INFINITY;
  let gain = 0;
  let ideal = 0;
  for (const [position, item] of [...relevant].entries()) {
    let before = 0;
    for (let other = 0; other < scores.length; other++) {
      if (scores[other] > scores[item] || (scores[other] === scores[item] && other < item)) before++;
    }
    gain += 1 / Math.log2(before + 2);
    ideal += 1 / Math.log2(position + 2);
  }
  return gain / ideal;
}
