import { LRUCache } from "lru-cache";
import Type, { type Static } from "typebox";
import { itemId as brandItem, type UserId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import { weightOf } from "../interactions/history-entry.ts";
import { userDigest } from "../interactions/keys.ts";
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
/** How long memory is believed after the last look at what changed, milliseconds. */
const CONFIRMED_FOR_MS = 900;
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
 * A user's history within a time budget. What was read is kept, and answers as long as somebody confirms that it has not
 * changed (see FollowedHistories): what this replica accepts counts at once, what another one does within a second.
 * Once the store has failed a request, later requests do not wait for it: they are answered from memory, and one read
 * after the other looks in the background whether it is back, also while nobody asks.
 */
export class Histories {
  readonly #events: Pick<EventLog, "history">;
  readonly #budgetMs: number;
  readonly #probeEveryMs: number;
  readonly #onError: (error: unknown) => void;
  /** An empty history is remembered too: it tells a new user from an unknown state. */
  readonly #remembered: LRUCache<UserId, Remembered>;
  readonly #byDigest = new Map<string, UserId>();
  /** Reads on their way, which may be older than a change that was heard of meanwhile. */
  readonly #reading = new Map<UserId, Reading>();
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #answering = true;
  #nextProbe: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(events: Pick<EventLog, "history">, options: HistoriesOptions = {}) {
    this.#events = events;
    this.#budgetMs = options.budgetMs ?? 50;
    this.#probeEveryMs = options.probeEveryMs ?? 200;
    this.#remembered = new LRUCache({
      maxSize: options.maxRemembered ?? 500_000,
      sizeCalculation: cost,
      dispose: ({ digest }, user, reason) => {
        if (reason !== "set" && !this.#reading.has(user)) this.#byDigest.delete(digest);
      },
    });
    this.#onError = options.onError ?? (() => {});
  }

  /** Whether the store answered when it was last asked. */
  get answering(): boolean {
    return this.#answering;
  }

  of(user: UserId): KnownHistory | Promise<KnownHistory> {
    if (!this.#answering) return this.#fromMemory(user);
    const remembered = this.#remembered.get(user);
    if (remembered?.isFresh === true && performance.now() - this.#confirmedAt < CONFIRMED_FOR_MS)
      return remembered.read;
    return this.#read(user).catch((error) => {
      this.#lost(user, error);
      return this.#fromMemory(user);
    });
  }

  /**
   * Feedback this replica accepted. The next request reads it; while the store is away it is remembered, at the same price
   * at any length.
   */
  accepted(events: readonly FeedbackEvent[], now: number): void {
    for (const event of events) {
      const { userId, itemId, timestamp } = event;
      const weight = weightOf(event);
      if (weight === 0) continue;
      this.#outdate(userId);
      const known = this.#remembered.get(userId);
      if (known === undefined) continue;
      known.since.push({ itemId: brandItem(itemId), timestamp: timestamp ?? now, weight });
      // A user who is never asked for is not worth a long memory.
      if (known.since.length > MAX_SINCE) this.#remembered.delete(userId);
      else this.#remembered.set(userId, { ...known });
    }
  }

  /** Some of these events may have changed the histories of their users. */
  outdated(events: readonly FeedbackEvent[]): void {
    for (const { userId } of events) this.#outdate(userId);
  }

  /** Somebody changed the history of the user with this digest (`userDigest`). */
  changed(digest: string): void {
    const user = this.#byDigest.get(digest);
    if (user !== undefined) this.#outdate(user);
  }

  /** Any history may have changed. */
  allChanged(): void {
    for (const remembered of this.#remembered.values()) remembered.isFresh = false;
    for (const reading of this.#reading.values()) reading.isOutdated = true;
  }

  /** All that had changed by then (`performance.now()`) has been said. */
  confirm(at: number): void {
    this.#confirmedAt = at;
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
    this.#outdate(user);
    this.#remembered.delete(user);
  }

  #outdate(user: UserId): void {
    const remembered = this.#remembered.peek(user);
    if (remembered !== undefined) remembered.isFresh = false;
    const reading = this.#reading.get(user);
    if (reading !== undefined) reading.isOutdated = true;
  }

  /** One read serves all who ask meanwhile, unless it began before a change. */
  #read(user: UserId): Promise<KnownHistory> {
    const known = this.#reading.get(user);
    if (known !== undefined && !known.isOutdated) return known.history;
    const digest = userDigest(user);
    const read = this.#readInTime(user);
    const reading: Reading = {
      isOutdated: false,
      history: read.then((history) => this.#learnt(user, history, digest, !reading.isOutdated)),
    };
    this.#byDigest.set(digest, user);
    this.#reading.set(user, reading);
    const end = (): void => {
      if (this.#reading.get(user) === reading) this.#reading.delete(user);
      if (!this.#reading.has(user) && !this.#remembered.has(user)) this.#byDigest.delete(digest);
    };
    reading.history.then(end, end);
    return reading.history;
  }

  #readInTime(user: UserId): Promise<UserHistory> {
    const budgetMs = this.#budgetMs;
    const late = () => new Error(`no history within ${budgetMs} ms`);
    return inTime(budgetMs, () => this.#events.history(user), late);
  }

  #learnt(user: UserId, history: UserHistory, digest: string, isFresh: boolean): KnownHistory {
    this.#answering = true;
    const { entries, seen, through } = history;
    const origin = entries.length === 0 ? "empty" : "stored";
    const read: KnownHistory = { interactions: entries, seen, through, origin };
    this.#byDigest.set(digest, user);
    // What was accepted while it was read may not be in it.
    const since = isFresh ? [] : (this.#remembered.get(user)?.since ?? []);
    this.#remembered.set(user, { read, since, digest, isFresh });
    return read;
  }

  #lost(user: UserId, error: unknown): void {
    this.#answering = false;
    this.#onError(error);
    if (this.#nextProbe !== null || this.#closed) return;
    this.#nextProbe = setTimeout(() => {
      this.#read(user).then(
        () => {
          this.#nextProbe = null;
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
    const { read, since } = known;
    const interactions = [...read.interactions, ...since];
    return { interactions, seen: read.seen, through: null, origin: "remembered" };
  }
}

interface Reading {
  readonly history: Promise<KnownHistory>;
  /** The history changed after the read began: who asks from now on must not get it. */
  isOutdated: boolean;
}

interface Remembered {
  readonly read: KnownHistory;
  /** What was accepted since then; it grows. */
  readonly since: Interaction[];
  readonly digest: string;
  /** Whether nothing has changed since it was read, as far as was heard. */
  isFresh: boolean;
}

const NOTHING_KNOWN: KnownHistory = { interactions: [], seen: null, through: null, origin: "unavailable" };

/** A user costs something even without entries, so that the number of users is bounded too. */
function cost({ read: { interactions, seen }, since }: Remembered): number {
  return interactions.length + since.length + 4 + (seen === null ? 0 : FILTER_BYTES / ENTRY_BYTES);
}
