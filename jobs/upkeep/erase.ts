import { userId } from "../../models/data/ids.ts";
import { forgetInRedis, type Traces } from "../../services/erasure/redis-traces.ts";
import { forgetInSnapshots, forgetReplaced } from "../../services/erasure/snapshot-traces.ts";
import type { JobContext } from "../context.ts";

/** What was removed. It does not name the user. */
export interface Erasure extends Traces {
  /** Events removed from the snapshot that models train on. */
  readonly snapshotEvents: number;
  /** Folders of replaced ladders whose snapshots were removed. */
  readonly replacedFolders: number;
  readonly remains: string;
}

/** Models hold item-side arrays only, so no artifact has a trace of anybody. */
const REMAINS =
  "models hold no users; a digest of the id and the time keep out what happened before, also from the next import; the file that was imported is yours: remove the user there too";

/**
 * Removes every trace of a user from Redis and the snapshots; twice is the same as once. Redis goes first and last: an
 * event that came in between may have been folded into a snapshot by then, so the snapshots go in the middle.
 */
export async function erase(context: JobContext, user: string): Promise<Erasure> {
  const before = await forgetInRedis(context.config, user);
  const snapshotEvents = await context.writing("an erasure", () =>
    forgetInSnapshots(context.stores.snapshot, userId(user)),
  );
  const replaced = await forgetReplaced(context.config.stateFolder);
  // From now on nothing of before comes in, and replicas drop what they remember, once more: a request was under way.
  await context.events.forget(userId(user), context.now());
  const after = await forgetInRedis(context.config, user);
  const sum = (part: keyof Traces): number => before[part] + after[part];
  return {
    histories: sum("histories"),
    events: sum("events"),
    evidence: sum("evidence"),
    requests: sum("requests"),
    snapshotEvents,
    replacedFolders: replaced.length,
    remains: REMAINS,
  };
}
