import type { InteractionLog } from "./interaction-log.ts";

/** Positions of each user's events before `to`, in time order; one (possibly empty) view a user of the log. */
export function eventsByUser(log: InteractionLog, to: number): Uint32Array[] {
  const starts = new Uint32Array(log.users.size + 1);
  for (let event = 0; event < to; event++) starts[log.userIndex[event] + 1]++;
  for (let user = 0; user < log.users.size; user++) starts[user + 1] += starts[user];
  const next = starts.slice(0, -1);
  const events = new Uint32Array(to);
  for (let event = 0; event < to; event++) events[next[log.userIndex[event]]++] = event;
  return Array.from({ length: log.users.size }, (_, user) => events.subarray(starts[user], starts[user + 1]));
}
