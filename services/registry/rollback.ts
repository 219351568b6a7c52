import { MS_PER_DAY } from "../../models/data/day.ts";
import { PhasewiseError } from "../errors.ts";
import { decideCanaryRollback } from "./canary.ts";
import type { UnsealedEntry, Write } from "./commit.ts";
import { pointerWrites, staleChallengers, stateWrites } from "./pointer-move.ts";
import type { PointerChange } from "./promote.ts";
import type { Snapshot } from "./snapshot.ts";
import type { LivePointer, RollbackRequest } from "./types.ts";

/** So many automatic rollbacks within this long mean that the ladder itself is in doubt. */
const DOUBT_WINDOW_MS = MS_PER_DAY;

export interface RollbackChange extends PointerChange {
  readonly left: string;
}

/** The canary, when this rollback is about it, see `RollbackRequest`. */
function canaryToLeave({ live }: Snapshot, { expectedLive }: RollbackRequest): string | null {
  const canary = live?.canary?.version ?? null;
  return expectedLive === undefined || expectedLive === canary ? canary : null;
}

/**
 * Decides a rollback on a snapshot: LIVE → QUARANTINED, PREVIOUS → LIVE; without a PREVIOUS the phase-1 floor
 * goes live. The last of `automaticPerDay` automatic rollbacks in 24 hours goes to the floor and freezes promotions.
 * Null when the version to leave is not served any more. When it is the canary, only the canary ends.
 * @throws NOTHING_TO_ROLL_BACK
 */
export function decideRollback(
  snapshot: Snapshot,
  request: RollbackRequest,
  now: number,
  automaticPerDay: number,
): RollbackChange | null {
  const canary = canaryToLeave(snapshot, request);
  if (canary !== null) return decideCanaryRollback(snapshot, canary, request, now);
  const left = snapshot.live;
  if (left !== null && request.expectedLive !== undefined && request.expectedLive !== left.version)
    return null;
  if (left === null || left.version === left.floor) {
    const got = left === null ? "nothing live yet" : `the phase-1 floor ${left.version} live`;
    throw new PhasewiseError(
      "NOTHING_TO_ROLL_BACK",
      `rollback: expected a version above the phase-1 floor to be live, got ${got}; there is nothing below it`,
      { live: left },
    );
  }
  const automatic = request.automatic === true ? [...recentAutomatic(snapshot, now), now] : [];
  const inDoubt = automatic.length >= automaticPerDay;
  const version = inDoubt ? left.floor : (left.previous ?? left.floor);
  const live: LivePointer = {
    version,
    lineage: left.lineage,
    epoch: left.epoch + 1,
    liveEpoch: left.epoch + 1,
    previous: null,
    floor: left.floor,
    since: new Date(now).toISOString(),
    canary: null,
  };
  const stale = staleChallengers(snapshot, live, request.actor);
  const entries: UnsealedEntry[] = [
    {
      at: live.since,
      actor: request.actor,
      action: request.automatic === true ? "auto-rollback" : "rollback",
      version,
      from: left.version,
      epoch: live.epoch,
      reason: request.reason,
      decisionId: request.decisionId ?? null,
    },
    ...stale.entries,
  ];
  const writes: Write[] = [
    ...pointerWrites(live),
    ...stateWrites(left.version, "QUARANTINED", request.reason),
    ...stateWrites(version, "LIVE", `${left.version} was rolled back: ${request.reason}`),
    ...stale.writes,
  ];
  if (left.previous !== null && left.previous !== version) {
    writes.push(...stateWrites(left.previous, "RETIRED", `rolled back past it to the floor ${version}`));
  }
  if (automatic.length > 0) writes.push(["freeze", "automatic", JSON.stringify(automatic)]);
  if (inDoubt) {
    const reason = `${automatic.length} automatic rollbacks within 24 hours`;
    writes.push(["freeze", "since", live.since], ["freeze", "reason", reason]);
    entries.push({ ...entries[0], action: "freeze", from: null, reason });
  }
  return { live, left: left.version, entries, writes };
}

/** A clock set back must not hide a repeat, so distance counts in both directions. */
function recentAutomatic({ automaticRollbacks }: Snapshot, now: number): readonly number[] {
  return automaticRollbacks.filter((at) => Math.abs(now - at) < DOUBT_WINDOW_MS);
}
