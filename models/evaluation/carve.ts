import { eventsByUser } from "../data/events-by-user.ts";
import type { UserId } from "../data/ids.ts";
import type { InteractionLog } from "../data/interaction-log.ts";
import { seededRandom, shuffle } from "../data/random.ts";
import { selectEvents } from "../data/slice.ts";
import type { DataOrder } from "../recipe.ts";

export interface Carved {
  readonly train: InteractionLog;
  readonly validation: InteractionLog;
}

/** Largest part of a train file that is set apart: what is left must still be much like all of it. */
const LARGEST_SHARE = 0.25;

/**
 * Sets a validation set apart from a train file in the way the test file was set apart from both, so that what is best
 * on the one is best on the other: as large a part of the train events as the test file is of all events, and
 *   time   the last events of all
 *   user   the last of each user who is in the test file
 *   none   any of each user who is in the test file
 */
export function carveLike(
  train: InteractionLog,
  test: InteractionLog,
  order: DataOrder,
  seed: number,
): Carved {
  const events = train.timestamps.length;
  const apart = new Uint8Array(events);
  if (order === "time") {
    const share = test.timestamps.length / (test.timestamps.length + events);
    apart.fill(1, events - Math.ceil(Math.min(share, LARGEST_SHARE) * events));
  } else {
    const tested = eventCounts(test);
    const random = seededRandom(seed);
    for (const known of eventsByUser(train, events)) {
      if (known.length === 0) continue;
      const count = partOf(known.length, tested.get(train.users.idAt(train.userIndex[known[0]])) ?? 0);
      const picked = order === "user" ? known : shuffle(known, random);
      for (const event of picked.subarray(known.length - count)) apart[event] = 1;
    }
  }
  const validation = selectEvents(train, (event) => apart[event] === 1);
  if (validation.timestamps.length === 0 || validation.timestamps.length === events) {
    throw new RangeError(
      `tune: expected a train file that leaves events to learn from and events to validate on, got ${events} events; ` +
        "leave --tune out, or bring more events a user",
    );
  }
  return { train: selectEvents(train, (event) => apart[event] === 0), validation };
}

/** Of `known` train events the part that `tested` test events are of both together, at least 1, but never all. */
function partOf(known: number, tested: number): number {
  if (tested === 0) return 0;
  const share = Math.min(tested / (known + tested), LARGEST_SHARE);
  return Math.min(known - 1, Math.max(1, Math.round(share * known)));
}

function eventCounts({ users, userIndex }: InteractionLog): Map<UserId, number> {
  const counts = new Uint32Array(users.size);
  for (const user of userIndex) counts[user]++;
  return new Map(users.ids.map((id, index) => [id, counts[index]]));
}
