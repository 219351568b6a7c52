import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { type ItemId, itemId, type UserId } from "../../models/data/ids.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { selectEvents } from "../../models/data/slice.ts";
import { PhasewiseError } from "../errors.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { noteChanged } from "./changed-histories.ts";
import { eventKey, historyKey, STREAM } from "./keys.ts";
import type { FeedbackEvent } from "./types.ts";

/*
 * To undo an event takes knowing which it was. Beside the hash of its body, its id remembers when and with what it
 * happened, as long as the id is known at all; whose it was stands there as a check only. The undoing goes into the stream
 * like an event, after whatever was read of it by then: a compaction or a training that has the event already takes it out
 * when it comes to the undoing, so that none brings it back.
 */

/** What the key of an event's id holds: hash of the body, check of the user, time, item. */
export function knownEvent(bodyHash: string, event: FeedbackEvent, timestamp: number): string {
  return `${bodyHash} ${userCheck(event.eventId, event.userId)} ${timestamp} ${event.itemId}`;
}

const userCheck = (eventId: string, user: UserId): string =>
  createHash("sha256").update(`${eventId}\n${user}`).digest("hex").slice(0, 8);

interface Place {
  readonly item: ItemId;
  readonly timestamp: number;
}

function placeIn(known: string | null, eventId: string, user: UserId): Place | null {
  const [, check, timestamp, item] = /^\S+ (\S+) (\S+) (.*)$/s.exec(known ?? "") ?? [];
  if (check !== userCheck(eventId, user)) return null;
  return { item: itemId(item), timestamp: Number(timestamp) };
}

/** @throws NOT_FOUND when no event of this id is known of the user any more */
export async function undo(redis: Redis, user: UserId, eventId: string): Promise<void> {
  const known = await fromStore("look up an event", redis.get(eventKey(eventId)));
  const streamed = await findInStream(redis, user, eventId);
  const place = placeIn(known, eventId, user) ?? streamed;
  if (place === null) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `eventId: expected an event of the user from the last seven days, got "${eventId}"; send an event of type remove or dislike instead`,
      { field: "eventId" },
    );
  }
  const { item, timestamp } = place;
  const beginning = `${JSON.stringify([item, timestamp]).slice(0, -1)},`;
  const lines = await fromStore("read history", redis.lrange(historyKey(user), 0, -1));
  const line = lines.findLast((text) => text.startsWith(beginning, text.indexOf(" ") + 1));
  const undoing: FeedbackEvent = {
    eventId,
    userId: user,
    itemId: item,
    type: "undo",
    timestamp,
    undone: true,
  };
  const removing = redis.multi().xadd(STREAM, "*", "event", JSON.stringify(undoing));
  if (streamed !== null) removing.xdel(STREAM, streamed.id);
  if (line !== undefined) removing.lrem(historyKey(user), -1, line);
  noteChanged(removing, user);
  await toStore("undo event", removing.exec());
}

/** Events looked through at once. */
const PAGE = 1000;

/** The event itself, where it is not folded into a snapshot yet: the latest of this id. */
async function findInStream(
  redis: Redis,
  user: UserId,
  eventId: string,
): Promise<(Place & { readonly id: string }) | null> {
  let before = "+";
  for (;;) {
    const page = await fromStore("read events", redis.xrevrange(STREAM, before, "-", "COUNT", PAGE));
    for (const [id, fields] of page) {
      const event = JSON.parse(fields[1]) as FeedbackEvent;
      if (event.eventId !== eventId || event.userId !== user || event.undone === true) continue;
      return { id, item: event.itemId, timestamp: event.timestamp ?? 0 };
    }
    const last = page.at(-1)?.[0];
    if (page.length < PAGE || last === undefined) return null;
    before = `(${last}`;
  }
}

/** A stream settled: what was done and not undone later, and what to take out of whatever was read before it. */
export interface Settled {
  readonly done: readonly FeedbackEvent[];
  readonly undone: readonly FeedbackEvent[];
}

const happening = ({ userId, itemId: item, timestamp }: FeedbackEvent): string =>
  JSON.stringify([userId, item, timestamp]);

/** @param events in the order of the stream */
export function settled(events: readonly FeedbackEvent[]): Settled {
  const undone = events.filter((event) => event.undone === true);
  if (undone.length === 0) return { done: events, undone };
  const gone = new Set<string>();
  const done: FeedbackEvent[] = [];
  // From the end: what was done again after its undoing stays.
  for (const event of events.toReversed()) {
    if (event.undone === true) gone.add(happening(event));
    else if (!gone.has(happening(event))) done.push(event);
  }
  return { done: done.reverse(), undone };
}

/** The log without what was undone; only events of its users are looked into. */
export function withoutUndone(log: InteractionLog, undone: readonly FeedbackEvent[]): InteractionLog {
  const { users, items, userIndex, itemIndex, timestamps } = log;
  const ofUser = new Map<number, Set<string>>();
  for (const event of undone) {
    const user = users.indexOf(event.userId);
    if (user === undefined) continue;
    const gone = ofUser.get(user) ?? new Set();
    ofUser.set(user, gone.add(happening(event)));
  }
  if (ofUser.size === 0) return log;
  const isGone = (event: number): boolean => {
    const gone = ofUser.get(userIndex[event]);
    if (gone === undefined) return false;
    const [userId, item] = [users.idAt(userIndex[event]), items.idAt(itemIndex[event])];
    return gone.has(JSON.stringify([userId, item, timestamps[event]]));
  };
  return selectEvents(log, (event) => !isGone(event));
}
