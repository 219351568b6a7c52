import { emptyColumns } from "./event-columns.ts";
import type { UserId } from "./ids.ts";
import type { InteractionLog } from "./interaction-log.ts";
import { orderedLog } from "./ordered-log.ts";

/** The log as it would be had the user never been: without the events, and without the id. */
export function withoutUser(log: InteractionLog, user: UserId): InteractionLog {
  const index = log.users.indexOf(user);
  if (index === undefined) return log;
  const columns = emptyColumns(log.timestamps.length);
  for (let event = 0; event < log.timestamps.length; event++) {
    if (log.userIndex[event] === index) continue;
    const slot = columns.length++;
    columns.userIndex[slot] = log.userIndex[event];
    columns.itemIndex[slot] = log.itemIndex[event];
    columns.timestamps[slot] = log.timestamps[event];
    columns.weights[slot] = log.weights[event];
  }
  // Ids that no event uses fall out of both vocabularies.
  return orderedLog(columns, log.users.ids, log.items.ids, false).log;
}
