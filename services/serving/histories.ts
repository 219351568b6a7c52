import { LRUCache } from "lru-cache";
import Type, { type Static } from "typebox";
import { itemId as brandItem, type UserId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import { weightOf } from "../interactions/history-entry.ts";
import { FILTER_BYTES, type SeenFilter } from "../interactions/seen-filter.ts";
import type { EventLog, FeedbackEvent, UserHistory } from "../interactions/types.ts";
import { inTime } from "../waiting.ts";

/** Where the history of a reply came from. */
export const HistoryOrigin = Type.Enum(
  ["stored", "remembered", "request", "visitor", "empty", "unavailable"],
  {
    type: "string",
    description: "where the history came from",
  },
);
export type HistoryOrigin = Static<typeof HistoryOrigin>;

/** Entries that are remembered of a user beyond those that were read. */
const MAX_SINCE = 2_000;
/** An entry in memory, roughly. */
const ENTRY_BYTES = 64;

export interface KnownHistory {
  readonly interactions: readonly Interaction[];
  /** What was seen so long ago that the history does not hold it any more; null for nothing. */
  readonly seen: SeenFilter | null;
  /** Sequence of the last entry read from the store; null when the store was not heard. */
  readonly through: number | null;
  readonly origin: HistoryOrigin;
}

export interface HistoriesOptions {
  /** Longest a request waits for the store, milliseconds. */
  readonly budgetMs?: number;
  /** Pause between two looks at a store that does not answer, milliseconds. */
  readonly probeEveryMs?: number;
  /** Bound on the entries remembered over all users. */
  readonly maxRemembered?: number;
  readonly onError?: (error: unknown) => void;
}

/**
 * A user's history within a time budget. Once the store has failed a request, later requests do not wait for
 * it: they are answered from memory, and one read after the other looks in the background whether it is back, also
 * while nobody asks.
 */
export class Histories {
  readonly #events: Pick<EventLog, "history">;
  readonly #budgetMs: number;
  readonly #probeEveryMs: number;
  readonly #onError: (error: unknown) => void;
  /** An empty history is remembered too: it tells a new user from an unknown state. */
  readonly #remembered: LRUCache<UserId, Remembered>;
  #answering = true;
  #nextProbe: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(events: Pick<EventLog, "history">, options: HistoriesOptions = {}) {
    this.#events = events;
    this.#budgetMs = options.budgetMs ?? 50;
    this.#probeEveryMs = options.probeEveryMs ?? 200;
    this.#remembered = new LRUCache({ maxSize: options.maxRemembered ?? 500_000, sizeCalculation: cost });
    this.#onError = options.onError ?? (() => {});
  }

  /** Whether the store answered when it was last asked. */
  get answering(): boolean {
    return this.#answering;
  }

  async of(user: UserId): Promise<KnownHistory> {
    if (!this.#answering) return this.#fromMemory(user);
    try {
      return this.#learnt(user, await this.#readInTime(user));
    } catch (error) {
      this.#lost(user, error);
      return this.#fromMemory(user);
    }
  }

  /** Feedback this replica accepted: what is remembered of the user stays fresh, at the same price at any length. */
  accepted(events: readonly FeedbackEvent[], now: number): void {
    for (const event of events) {
      const { userId, itemId, timestamp } = event;
      const weight = weightOf(event);
      const known = this.#remembered.get(userId);
      if (known === undefined || weight === 0) continue;
      known.since.push({ itemId: brandItem(itemId), timestamp: timestamp ?? now, weight });
      // A user who is never asked for is not worth a long memory: the next request reads the store anyway.
      if (known.since.length > MAX_SINCE) this.#remembered.delete(userId);
      else this.#remembered.set(userId, { ...known });
    }
  }

  /** Ends the looking for a store that does not answer. */
  close(): void {
    this.#closed = true;
    if (this.#nextProbe !== null) clearTimeout(this.#nextProbe);
  }

  /** Those of whom anything is remembered. */
  users(): Iterable<UserId> {
    return this.#remembered.keys();
  }

  /** What is remembered of the user is dropped; the store is asked again. */
  forget(user: UserId): void {
    this.#remembered.delete(user);
  }

  #readInTime(user: UserId): Promise<UserHistory> {
    const budgetMs = this.#budgetMs;
    const late = () => new Error(`no history within ${budgetMs} ms`);
    return inTime(budgetMs, () => this.#events.history(user), late);
  }

  #learnt(user: UserId, history: UserHistory): KnownHistory {
    this.#answering = true;
    const { entries, seen, through } = history;
    this.#remembered.set(user, { read: entries, since: [], seen });
    return { interactions: entries, seen, through, origin: entries.length === 0 ? "empty" : "stored" };
  }

  #lost(user: UserId, error: unknown): void {
    this.#answering = false;
    this.#onError(error);
    if (this.#nextProbe !== null || this.#closed) return;
    this.#nextProbe = setTimeout(() => {
      this.#readInTime(user).then(
        (history) => {
          this.#nextProbe = null;
          this.#learnt(user, history);
        },
        (reason) => {
          this.#nextProbe = null;
          this.#lost(user, reason);
        },
      );
    }, this.#probeEveryMs).unref();
  }

  #fromMemory(user: UserId): KnownHistory {
    const known = this.#remembered.get(user);
    if (known === undefined) return NOTHING_KNOWN;
    const { read, since, seen } = known;
    return { interactions: [...read, ...since], seen, through: null, origin: "remembered" };
  }
}

interface Remembered {
  readonly read: readonly Interaction[];
  /** What was accepted since then; it grows. */
  readonly since: Interaction[];
  readonly seen: SeenFilter | null;
}

const NOTHING_KNOWN: KnownHistory = { interactions: [], seen: null, through: null, origin: "unavailable" };

/** A user costs something even without entries, so that the number of users is bounded too. */
function cost({ read, since, seen }: Remembered): number {
  return read.length + since.length + 4 + (seen === null ? 0 : FILTER_BYTES / ENTRY_BYTES);
}
