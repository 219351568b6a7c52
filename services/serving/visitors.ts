import { LRUCache } from "lru-cache";
import type { UserId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import { weightOf } from "../interactions/history-entry.ts";
import type { FeedbackEvent, FeedbackOutcome } from "../interactions/types.ts";

const MAX_VISITORS = 10_000;
/** Entries of one visitor, the latest. */
const MAX_ENTRIES = 200;

interface VisitorEntry extends Interaction {
  readonly eventId: string;
}

/**
 * What callers without a key said of users, in the memory of this replica. It shapes the lists that such callers get, and
 * nothing else: the store never hears of it, so that nobody unknown reads a real history, adds to one, pushes one out, or
 * becomes evidence or training data. Two visitors who take one name share it.
 */
export class Visitors {
  readonly #visitors = new LRUCache<UserId, readonly VisitorEntry[]>({ max: MAX_VISITORS });

  historyOf(user: UserId): readonly Interaction[] {
    return this.#visitors.get(user) ?? [];
  }

  users(): Iterable<UserId> {
    return this.#visitors.keys();
  }

  forget(user: UserId): void {
    this.#visitors.delete(user);
  }

  /** A known event id has no second effect. */
  add(events: readonly FeedbackEvent[], now: number): FeedbackOutcome {
    let accepted = 0;
    for (const event of events) {
      const { eventId, userId, itemId, timestamp } = event;
      const known = this.#visitors.get(userId) ?? [];
      if (known.some((entry) => entry.eventId === eventId)) continue;
      const entry = { eventId, itemId, timestamp: timestamp ?? now, weight: weightOf(event) };
      this.#visitors.set(userId, [...known, entry].slice(-MAX_ENTRIES));
      accepted++;
    }
    return { accepted, duplicates: events.length - accepted };
  }
}
