import type { LeftState } from "./canary.ts";
import type { RollbackChange } from "./rollback.ts";
import { whyNoRollback } from "./rollback-repeat.ts";
import type { Snapshot } from "./snapshot.ts";
import type { LivePointer, RollbackRequest, RollbackResult } from "./types.ts";

/** What a rollback answers: `change` was decided on `snapshot`, and made unless it is a dry run. */
export function rollbackResult(
  snapshot: Snapshot,
  change: RollbackChange | null,
  request: RollbackRequest,
  now: number,
): RollbackResult {
  const dryRun = request.dryRun === true;
  // Without a live version a rollback is refused, and says why when it has nothing to do.
  const before = snapshot.live as LivePointer;
  if (change === null) {
    const why = whyNoRollback(snapshot, request, now);
    if (why === null) throw new Error("rollback: expected a reason for doing nothing, got none");
    return { ...why, live: before, changed: false, dryRun };
  }
  const { live, left } = change;
  return {
    live: dryRun ? before : live,
    changed: true,
    dryRun,
    left,
    to: live.version,
    sentence: dryRun ? intention(change, before) : report(change),
  };
}

const MEANING: Readonly<Record<LeftState, string>> = {
  RETIRED: "which judges nothing: it may be released to face the gate again, or promoted by force",
  QUARANTINED: "which only a release lifts",
};

function report({ live, left, state }: RollbackChange): string {
  const now = `${left} is ${state}, ${MEANING[state]}`;
  return isCanary(live)
    ? `Ended the canary: ${now}. ${live.version} stays live, for everybody.`
    : `Left ${left} for ${live.version}: ${now}. ${below(live)}`;
}

function intention({ live, left, state }: RollbackChange, before: LivePointer): string {
  return isCanary(live)
    ? `Would end the canary ${left} (${state} then); ${live.version} stays live, for everybody.`
    : `Would leave ${left}, live since ${before.since}, for ${live.version}; ${left} would be ${state}. ${below(live)}`;
}

/** The end of a canary leaves the live version, and so the epoch at which it went live, as they are. */
function isCanary({ epoch, liveEpoch }: LivePointer): boolean {
  return epoch !== liveEpoch;
}

function below({ version, previous, floor }: LivePointer): string {
  if (version === floor && previous === null) return "Nothing is below it: it is the floor.";
  return `The next rollback returns to ${previous ?? floor}.`;
}
