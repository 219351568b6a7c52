import { cutPosition, type InteractionLog } from "../data/interaction-log.ts";

/** What must be left to learn from. */
const LARGEST_SHARE = 0.5;

/**
 * Where a holdout begins: with the last `share` of the events, or so much earlier that `users` users have events in it.
 * Where half of the events would not hold so many, the share alone decides, and the screen says that they are too few.
 */
export function holdoutStart(log: InteractionLog, share: number, users: number): number {
  const byShare = cutPosition(log, 1 - share);
  const earliest = Math.min(byShare, cutPosition(log, 1 - LARGEST_SHARE));
  const seen = new Uint8Array(log.users.size);
  let found = 0;
  for (let event = log.timestamps.length - 1; event >= earliest; event--) {
    const user = log.userIndex[event];
    if (seen[user] === 0) found++;
    seen[user] = 1;
    if (event <= byShare && found >= users) return event;
  }
  return byShare;
}
