import type { EventColumns } from "./event-columns.ts";
import { type ItemId, itemId, type UserId, userId } from "./ids.ts";
import type { InteractionLog } from "./interaction-log.ts";
import { timeOrder } from "./time-order.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Largest group of simultaneous events compared pair by pair; larger ones go through a Set. */
const SMALL_GROUP = 16;

export interface OrderedLog {
  readonly log: InteractionLog;
  /** Events dropped: same user, item and time as an earlier one. */
  readonly duplicates: number;
  readonly firstDuplicate: { readonly user: string; readonly item: string; readonly time: number } | null;
}

/** Sorts columns into a log: stable time order, repeats dropped if asked, ids dense in order of first event. */
export function orderedLog(
  columns: EventColumns,
  userIds: readonly string[],
  itemIds: readonly string[],
  dropDuplicates: boolean,
): OrderedLog {
  const sorted = inTimeOrder(columns);
  const repeats = dropDuplicates ? dropRepeats(sorted, itemIds.length) : { dropped: 0, first: -1, time: 0 };
  const firstDuplicate =
    repeats.dropped === 0
      ? null
      : {
          user: userIds[Math.floor(repeats.first / itemIds.length)],
          item: itemIds[repeats.first % itemIds.length],
          time: repeats.time,
        };
  const userIndex = sorted.userIndex.subarray(0, sorted.length);
  const itemIndex = sorted.itemIndex.subarray(0, sorted.length);
  const log: InteractionLog = {
    users: renumber<UserId>(userIndex, userIds.map(userId)),
    items: renumber<ItemId>(itemIndex, itemIds.map(itemId)),
    userIndex,
    itemIndex,
    timestamps: sorted.timestamps.subarray(0, sorted.length),
    weights: sorted.weights.subarray(0, sorted.length),
  };
  return { log, duplicates: repeats.dropped, firstDuplicate };
}

function inTimeOrder(columns: EventColumns): EventColumns {
  const { length } = columns;
  const order = timeOrder(columns.timestamps.subarray(0, length));
  if (order === null) return columns;
  const gather = <T extends Uint32Array | Float32Array | Float64Array>(source: T, target: T): T => {
    for (let slot = 0; slot < length; slot++) target[slot] = source[order[slot]];
    return target;
  };
  return {
    userIndex: gather(columns.userIndex, new Uint32Array(length)),
    itemIndex: gather(columns.itemIndex, new Uint32Array(length)),
    weights: gather(columns.weights, new Float32Array(length)),
    timestamps: gather(columns.timestamps, new Float64Array(length)),
    length,
  };
}

/** Drops events that repeat user, item and time of an earlier one, in place. Repeats are simultaneous, so neighbours. */
function dropRepeats(events: EventColumns, items: number): { dropped: number; first: number; time: number } {
  const { userIndex, itemIndex, weights, timestamps, length } = events;
  const pairAt = (slot: number): number => userIndex[slot] * items + itemIndex[slot];
  const seen = new Set<number>();
  let kept = 0;
  let dropped = 0;
  let first = -1;
  let time = 0;
  for (let start = 0; start < length; ) {
    let end = start + 1;
    while (end < length && timestamps[end] === timestamps[start]) end++;
    const groupStart = kept;
    const large = end - start > SMALL_GROUP;
    if (large) seen.clear();
    for (let slot = start; slot < end; slot++) {
      const pair = pairAt(slot);
      let repeated = large && seen.has(pair);
      if (large) seen.add(pair);
      else for (let other = groupStart; other < kept && !repeated; other++) repeated = pairAt(other) === pair;
      if (repeated) {
        if (dropped++ === 0) {
          first = pair;
          time = timestamps[slot];
        }
        continue;
      }
      userIndex[kept] = userIndex[slot];
      itemIndex[kept] = itemIndex[slot];
      weights[kept] = weights[slot];
      timestamps[kept] = timestamps[slot];
      kept++;
    }
    start = end;
  }
  events.length = kept;
  return { dropped, first, time };
}

/** Rewrites indices in order of first use, in place; ids that no event uses fall out. */
function renumber<Id extends string>(indices: Uint32Array, ids: readonly Id[]): Vocabulary<Id> {
  const dense = new Int32Array(ids.length).fill(-1);
  const used: Id[] = [];
  for (let event = 0; event < indices.length; event++) {
    const index = indices[event];
    if (dense[index] < 0) dense[index] = used.push(ids[index]) - 1;
    indices[event] = dense[index];
  }
  return new Vocabulary(used);
}
