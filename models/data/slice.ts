import type { InteractionLog } from "./interaction-log.ts";

/** The events that `keep` says yes to, in their order; vocabularies stay whole. */
export function selectEvents(log: InteractionLog, keep: (event: number) => boolean): InteractionLog {
  const kept = (_: number, event: number): boolean => keep(event);
  return {
    users: log.users,
    items: log.items,
    userIndex: log.userIndex.filter(kept),
    itemIndex: log.itemIndex.filter(kept),
    timestamps: log.timestamps.filter(kept),
    weights: log.weights.filter(kept),
  };
}

/** Events `from` … `to`-1 as a view: vocabularies and arrays are shared, nothing is copied. */
export function sliceLog(log: InteractionLog, from: number, to: number): InteractionLog {
  if (
    !(
      Number.isInteger(from) &&
      Number.isInteger(to) &&
      from >= 0 &&
      from <= to &&
      to <= log.timestamps.length
    )
  ) {
    throw new RangeError(`slice: expected a range inside 0…${log.timestamps.length}, got ${from}…${to}`);
  }
  return {
    users: log.users,
    items: log.items,
    userIndex: log.userIndex.subarray(from, to),
    itemIndex: log.itemIndex.subarray(from, to),
    timestamps: log.timestamps.subarray(from, to),
    weights: log.weights.subarray(from, to),
  };
}
