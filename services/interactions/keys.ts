import type { UserId } from "../../models/data/ids.ts";
import { KEY_PREFIX } from "../redis.ts";

export const STREAM = `${KEY_PREFIX}events`;
/** Latest event time seen, epoch milliseconds. */
export const WATERMARK = `${KEY_PREFIX}events:watermark`;
/** Holds the hash of the body that the id came with. */
export const eventKey = (eventId: string): string => `${KEY_PREFIX}event:${eventId}`;
export const historyKey = (user: UserId): string => `${KEY_PREFIX}history:${user}`;
/** How much of a snapshot is in the histories: `events`, and `complete` once all are. */
export const seededKey = (snapshotSha256: string): string => `${KEY_PREFIX}seeded:${snapshotSha256}`;
