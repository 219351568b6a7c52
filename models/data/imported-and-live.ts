import type { ItemId, UserId } from "./ids.ts";
import type { InteractionLog } from "./interaction-log.ts";

export interface LoggedEvent {
  readonly userId: UserId;
  readonly itemId: ItemId;
  readonly timestamp: number;
  readonly weight: number;
}

const eventAt = (log: InteractionLog, event: number): LoggedEvent => ({
  userId: log.users.idAt(log.userIndex[event]),
  itemId: log.items.idAt(log.itemIndex[event]),
  timestamp: log.timestamps[event],
  weight: log.weights[event],
});

/**
 * Events of `all` that `part` does not hold, oldest first. Both are in time order, so they are walked side by side;
 * only moments at which they differ in number are looked into.
 */
export function eventsBeyond(all: InteractionLog, part: InteractionLog): LoggedEvent[] {
  const beyond: LoggedEvent[] = [];
  const key = ({ userId, itemId }: LoggedEvent): string => JSON.stringify([userId, itemId]);
  let known = 0;
  for (let from = 0; from < all.timestamps.length; ) {
    const time = all.timestamps[from];
    let to = from + 1;
    while (to < all.timestamps.length && all.timestamps[to] === time) to++;
    while (known < part.timestamps.length && part.timestamps[known] < time) known++;
    let knownTo = known;
    while (knownTo < part.timestamps.length && part.timestamps[knownTo] === time) knownTo++;
    if (knownTo - known !== to - from) {
      const held = new Set<string>();
      for (let event = known; event < knownTo; event++) held.add(key(eventAt(part, event)));
      for (let event = from; event < to; event++) {
        const own = eventAt(all, event);
        if (!held.has(key(own))) beyond.push(own);
      }
    }
    from = to;
  }
  return beyond;
}
