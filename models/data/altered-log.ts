import type { UserId } from "./ids.ts";
import type { InteractionLog } from "./interaction-log.ts";
import { seededRandom, shuffle } from "./random.ts";
import { selectEvents } from "./slice.ts";

/**
 * Which users belong to part 0 (the first `share` of a seeded order) or part 1 (the last `share`) of them. A smaller
 * part lies within the larger one of its number, and the two halves have nobody in common.
 */
export function partOfUsers(
  log: InteractionLog,
  share: number,
  part: 0 | 1,
  seed: number,
): ReadonlySet<UserId> {
  const { ids } = log.users;
  const order = shuffle(
    Uint32Array.from(ids, (_, index) => index),
    seededRandom(seed),
  );
  const size = Math.max(1, Math.round(share * order.length));
  const chosen = part === 0 ? order.subarray(0, size) : order.subarray(order.length - size);
  return new Set(Array.from(chosen, (index) => ids[index]));
}

/** The events of some users only; vocabularies stay whole. */
export function eventsOf(log: InteractionLog, users: ReadonlySet<UserId>): InteractionLog {
  const wanted = log.users.ids.map((id) => users.has(id));
  return selectEvents(log, (event) => wanted[log.userIndex[event]]);
}

/**
 * The same events with their items dealt out anew: how active a user and how popular an item is stay, who likes what,
 * what follows what and when anything was in fashion are gone. Nothing but popularity can be learned from it.
 */
export function shuffledItems(log: InteractionLog, seed: number): InteractionLog {
  return { ...log, itemIndex: shuffle(log.itemIndex.slice(), seededRandom(seed)) };
}
