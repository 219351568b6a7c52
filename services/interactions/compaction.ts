import { type EventColumns, emptyColumns } from "../../models/data/event-columns.ts";
import type { ItemId, UserId } from "../../models/data/ids.ts";
import type { LoggedEvent } from "../../models/data/imported-and-live.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { orderedLog } from "../../models/data/ordered-log.ts";
import { eventsOfEach, latestOfEach } from "../../models/data/set-aside.ts";
import { PhasewiseError } from "../errors.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { weightOf } from "./history-entry.ts";
import { readSnapshot, type Snapshot, writeSnapshot } from "./snapshot.ts";
import type { FeedbackEvent } from "./types.ts";
import { settled, withoutUndone } from "./undo.ts";

/**
 * Compaction: the current snapshot with `events` added, written as the new current one. An event the
 * snapshot holds already (same user, item and time) is not added twice, so the same tail may be given again. A user whom
 * the tail takes beyond `userEvents` keeps the latest of them: nobody's events grow without end.
 *
 * @param now epoch milliseconds, the time of events that carry none
 */
export async function appendToSnapshot(
  store: ByteStore,
  events: readonly FeedbackEvent[],
  { now, userEvents }: { readonly now: number; readonly userEvents: number },
): Promise<Snapshot> {
  const before = await readSnapshot(store);
  if (before === null) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${store.place}: expected a snapshot to add to, got none; import data first`,
    );
  }
  const whole = withEvents(before.log, events, now);
  // What was imported stays as long as it was.
  const known = eventsOfEach(before.log);
  const most = whole.users.ids.map((user) =>
    Math.max(userEvents, known[before.log.users.indexOf(user) ?? -1] ?? 0),
  );
  return writeSnapshot(
    latestOfEach(whole, (user) => most[user]),
    before.catalogue,
    store,
  );
}

/**
 * The log with later events added in time order, and without those undone; an event it holds already is not taken twice. A
 * log that would be left empty stays, for there is none of nothing.
 */
export function withEvents(
  log: InteractionLog,
  events: readonly FeedbackEvent[],
  now: number,
): InteractionLog {
  const { done, undone } = settled(events);
  const whole = withLogged(
    withoutUndone(log, undone),
    done.map((event) => ({ ...event, timestamp: event.timestamp ?? now, weight: weightOf(event) })),
  );
  return whole.timestamps.length === 0 ? log : whole;
}

/** The same for events whose time and weight are known. */
export function withLogged(log: InteractionLog, events: readonly LoggedEvent[]): InteractionLog {
  const users = grown<UserId>(log.users.ids);
  const items = grown<ItemId>(log.items.ids);
  const columns = copied(log, events.length);
  for (const event of events) {
    const slot = columns.length++;
    columns.userIndex[slot] = users.indexOf(event.userId);
    columns.itemIndex[slot] = items.indexOf(event.itemId);
    columns.timestamps[slot] = Math.round(event.timestamp);
    columns.weights[slot] = event.weight;
  }
  return orderedLog(columns, users.ids, items.ids, true).log;
}

function copied(log: InteractionLog, more: number): EventColumns {
  const columns = emptyColumns(log.timestamps.length + more);
  columns.userIndex.set(log.userIndex);
  columns.itemIndex.set(log.itemIndex);
  columns.timestamps.set(log.timestamps);
  columns.weights.set(log.weights);
  columns.length = log.timestamps.length;
  return columns;
}

function grown<Id extends string>(known: readonly Id[]): { ids: Id[]; indexOf(id: Id): number } {
  const ids = [...known];
  const indexById = new Map(ids.map((id, index) => [id, index]));
  const indexOf = (id: Id): number => {
    const index = indexById.get(id) ?? ids.push(id) - 1;
    indexById.set(id, index);
    return index;
  };
  return { ids, indexOf };
}
