import type { ItemId, UserId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import type { EventClocks } from "./event-clocks.ts";
import type { ImportedHistory } from "./imported-histories.ts";
import type { SeenFilter } from "./seen-filter.ts";

/** An event as a client sends it, and through whom. */
export interface FeedbackEvent {
  /** The client's idempotency key: one effect per id. */
  readonly eventId: string;
  readonly userId: UserId;
  readonly itemId: ItemId;
  /** "rating", "watch", "click", … */
  readonly type: string;
  readonly rating?: number | undefined;
  /** What the event counts for, where that is neither its rating nor 1 (see `strengthOf` in models/data/event-rules). */
  readonly weight?: number | undefined;
  /** Epoch milliseconds; the server's time when absent. */
  readonly timestamp?: number | undefined;
  /** The list this event answers to, when the user chose from one of ours. */
  readonly requestId?: string | undefined;
  /**
   * Id of the key through which it came: only those whose holders know their users may add to the stream. Absent in
   * what was recorded before there were keys, and in what was imported.
   */
  readonly source?: string | undefined;
  /** No event but the undoing of one: of this user's with this item at this time. */
  readonly undone?: true | undefined;
}

/** One entry of a user's history as stored: append-only, numbered from 1 in order of arrival. */
export interface HistoryEntry extends Interaction {
  /** Position in the user's history; "as of n" means the entries with sequence ≤ n. */
  readonly sequence: number;
  /** The served list the event answered to, when it did. */
  readonly requestId: string | null;
}

export interface UserHistory {
  /** Oldest first by arrival. */
  readonly entries: readonly HistoryEntry[];
  /** What was seen so long ago that no entry tells of it any more; null when all entries are here. */
  readonly seen: SeenFilter | null;
  /** Sequence of the last entry; 0 when there is none. */
  readonly through: number;
}

export interface FeedbackOutcome {
  readonly accepted: number;
  /** Already known with the same content: acknowledged again, no second effect. */
  readonly duplicates: number;
  /** Dropped: they happened before their users were erased. Absent when there are none. */
  readonly erased?: number;
}

/** Redis-backed: the event stream, the user histories and the window of known event ids. */
export interface EventLog {
  /**
   * One Lua script for the batch: all or nothing, so a retry of the same batch is safe.
   * @throws EVENT_ID_REUSED when an id is known with other content
   */
  append(events: readonly FeedbackEvent[], now: number): Promise<FeedbackOutcome>;
  history(user: UserId): Promise<UserHistory>;
  /**
   * Drops the user's history, and takes no event of his from before `at` any more; events in the stream and in snapshots
   * are dropped by an erasure (jobs/upkeep/erase).
   */
  forget(user: UserId, at: number): Promise<void>;
  /** Of these users those who were erased, with the moment, epoch milliseconds. */
  erased(users: readonly UserId[]): Promise<ReadonlyMap<UserId, number>>;
  /**
   * Takes an event of the user's out of the history, the stream, and whatever snapshot holds it from the next compaction or
   * training on. Its id stays known, so that sending it again has no effect.
   * @throws NOT_FOUND when no such event of the user is known any more
   */
  undo(user: UserId, eventId: string): Promise<void>;
  histories(users: readonly UserId[]): Promise<ReadonlyMap<UserId, UserHistory>>;
  /**
   * Makes the imported part of these users' histories what an import says, without putting it in the stream (it is in the
   * snapshot). What they did live stays. Returns the entries written; a second call for the same import writes nothing.
   */
  replaceImported(
    users: Iterable<ImportedHistory>,
    importSha256: string,
    onUsers?: (users: number) => void,
  ): Promise<number>;
  /** Event times reached: the clocks that attribution windows run on. */
  clocks(): Promise<EventClocks>;
  /** Stream entries (events, and the undoing of some) after `afterId` ("0" for all), oldest first, at most `count`. */
  read(
    afterId: string,
    count: number,
  ): Promise<readonly { readonly id: string; readonly event: FeedbackEvent }[]>;
  /** Drops stream entries up to and including `throughId`, once a snapshot holds them. */
  trim(throughId: string): Promise<number>;
  length(): Promise<number>;
}
