import { eventsByUser } from "../data/events-by-user.ts";
import type { InteractionLog } from "../data/interaction-log.ts";
import type { DataOrder } from "../recipe.ts";

/** Share of the events that may lie on the wrong side: published files are not always clean. */
const STRAYS = 0.01;

/** How a test file was cut from the events that its train file is the rest of, told by the times of both. */
export function splitOrder(train: InteractionLog, test: InteractionLog): DataOrder {
  if (followsAll(train.timestamps, test.timestamps)) return "time";
  return followsEachUser(train, test) ? "user" : "none";
}

/** Whether the test events begin when the train events end. Both ascend. */
function followsAll(train: Float64Array, test: Float64Array): boolean {
  const last = train[Math.ceil((1 - STRAYS) * train.length) - 1];
  const first = test[Math.floor(STRAYS * test.length)];
  return first >= last && last > train[0];
}

/** Whether each user's test events come after the same user's train events. Simultaneous ones tell nothing. */
function followsEachUser(train: InteractionLog, test: InteractionLog): boolean {
  const lastTimes = new Map(
    eventsByUser(train, train.timestamps.length)
      .filter((events) => events.length > 0)
      .map((events) => [
        train.users.idAt(train.userIndex[events[0]]),
        train.timestamps[events[events.length - 1]],
      ]),
  );
  let later = 0;
  let earlier = 0;
  for (const [event, time] of test.timestamps.entries()) {
    const last = lastTimes.get(test.users.idAt(test.userIndex[event]));
    if (last === undefined) continue;
    if (time > last) later++;
    else if (time < last) earlier++;
  }
  return later > 0 && earlier <= STRAYS * (later + earlier);
}
