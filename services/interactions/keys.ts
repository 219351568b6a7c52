import { createHash } from "node:crypto";
import type { UserId } from "../../models/data/ids.ts";

export const STREAM = "events";
/** Hash: time of the latest live event (`at`) and of the first one (`since`), epoch milliseconds. */
export const LIVE_CLOCK = "events:live-clock";
/** List: times of the latest recorded events, newest arrival first. */
export const RECORDED_TIMES = "events:recorded-times";
/** What homes of before the two clocks hold: the latest event time ever seen. */
export const FORMER_WATERMARK = "events:watermark";
/** Holds the hash of the body that the id came with. By a digest: an id may name its user, and is kept for days. */
export const eventKey = (eventId: string): string =>
  `event:${createHash("sha256").update(eventId).digest("base64url").slice(0, 24)}`;
export const historyKey = (user: UserId): string => `history:${user}`;
/** What a user had seen before the entries that the history still holds: see `SeenFilter`. */
export const seenKey = (user: UserId): string => `seen:${user}`;
/** Events taken from a user within a day, which begins with the first of them. */
export const takenKey = (user: UserId): string => `taken:${user}`;
/** Every key that is named after a user: what erasing one removes whole. */
export const userKeys = (user: UserId): readonly string[] => [
  historyKey(user),
  seenKey(user),
  takenKey(user),
];
/** SHA-256 of the import that the histories hold; absent while one is being written. */
export const IMPORTED = "imported";
/** The same as releases before kept it: a hash with `complete` once all events of a snapshot were in the histories. */
export const seededKey = (snapshotSha256: string): string => `seeded:${snapshotSha256}`;
/** Who writes snapshots now: see writing-lock.ts. */
export const WRITING = "writing";
/** Stands for a user where nobody must read who it is. */
export const userDigest = (user: UserId): string =>
  createHash("sha256").update(`erased\n${user}`).digest("base64url").slice(0, 24);
/** Stream: digests of users whose histories changed in the last seconds. */
export const CHANGED = "changed-histories";
/** Hash: digest of an erased user's id to the moment of the erasure, epoch milliseconds. */
export const ERASED = "erased";
/** Grows with every erasure. */
export const ERASED_VERSION = "erased:version";
