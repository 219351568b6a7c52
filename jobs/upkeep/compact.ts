import { appendToSnapshot } from "../../services/interactions/compaction.ts";
import { pruneSnapshots } from "../../services/interactions/snapshot.ts";
import type { JobContext } from "../context.ts";
import { streamTail } from "../data/training-data.ts";

export interface Compaction {
  /** Events moved from the stream into the snapshot. */
  readonly events: number;
  /** Hash of the snapshot in force afterwards; null when there was nothing to move. */
  readonly snapshotSha256: string | null;
}

/**
 * Folds the event stream into a new snapshot, then trims the stream. In this order a crash in between leaves
 * events in both, and a snapshot does not take an event twice.
 */
export function compact(context: JobContext): Promise<Compaction> {
  return context.writing("a compaction", () => fold(context));
}

async function fold(context: JobContext): Promise<Compaction> {
  const { tail, throughId } = await streamTail(context.events);
  if (tail.length === 0) return { events: 0, snapshotSha256: null };
  const snapshot = await appendToSnapshot(context.stores.snapshot, tail, {
    now: context.now(),
    userEvents: context.policy.training.userEvents,
  });
  await context.events.trim(throughId);
  await pruneSnapshots(context.stores.snapshot);
  context.log.info({ events: tail.length, sha256: snapshot.sha256 }, "compacted");
  return { events: tail.length, snapshotSha256: snapshot.sha256 };
}
