import { MS_PER_DAY } from "../../models/data/day.ts";
import { PhasewiseError } from "../errors.ts";
import { decideCanaryRollback, isForHarm, type LeftState } from "./canary.ts";
import type { UnsealedEntry, Write } from "./commit.ts";
import { pointerWrites, staleChallengers, stateWrites } from "./pointer-move.ts";
import type { PointerChange } from "./promote.ts";
import { goalVersion } from "./rollback-goal.ts";
import { whyNoRollback } from "./rollback-repeat.ts";
import type { Snapshot } from "./snapshot.ts";
import { stackBelow } from "./stack.ts";
import type { LivePointer, RollbackRequest } from "./types.ts";

/** So many automatic rollbacks within this long mean that the ladder itself is in doubt. */
const DOUBT_WINDOW_MS = MS_PER_DAY;

export interface RollbackChange extends PointerChange {
  readonly left: string;
  /** What becomes of the version that is left. */
  readonly state: LeftState;
}

/** The canary, when this rollback is about it, see `RollbackRequest`. */
export function canaryToLeave({ live }: Snapshot, { expectedLive, to }: RollbackRequest): string | null {
  const canary = live?.canary?.version ?? null;
  if (to !== undefined && to !== "previous") return null;
  return expectedLive === undefined || expectedLive === canary ? canary : null;
}

/**
 * Decides a rollback on a snapshot: the goal → LIVE, what lies above it in the stack → RETIRED, and LIVE → RETIRED, or
 * → QUARANTINED when harm or failure is proven. The last of `automaticPerDay` automatic rollbacks in 24 hours goes to
 * the floor and freezes promotions. When what is to be left is the canary, only the canary ends. Null when there is
 * nothing to do, and `whyNoRollback` has the words.
 * @throws NOTHING_TO_ROLL_BACK, NOT_FOUND
 */
export function decideRollback(
  snapshot: Snapshot,
  request: RollbackRequest,
  now: number,
  automaticPerDay: number,
): RollbackChange | null {
  if (whyNoRollback(snapshot, request, now) !== null) return null;
  const canary = canaryToLeave(snapshot, request);
  if (canary !== null) return decideCanaryRollback(snapshot, canary, request, now);
  const left = snapshot.live;
  const goal = left === null ? null : goalVersion(snapshot, left, request.to ?? "previous");
  if (left === null || goal === left.version || (request.automatic && left.version === left.floor)) {
    const got = left === null ? "nothing live yet" : `the phase-1 floor ${left.version} live`;
    throw new PhasewiseError(
      "NOTHING_TO_ROLL_BACK",
      `rollback: expected a version above the phase-1 floor to be live, got ${got}; there is nothing below it`,
      { live: left },
    );
  }
  return move(snapshot, left, goal ?? left.floor, request, now, automaticPerDay);
}

function move(
  snapshot: Snapshot,
  left: LivePointer,
  goal: string,
  request: RollbackRequest,
  now: number,
  automaticPerDay: number,
): RollbackChange {
  const { actor, reason, decisionId, automatic = false } = request;
  const doubts = automatic ? [...recentAutomatic(snapshot, now), now] : [];
  const inDoubt = doubts.length >= automaticPerDay;
  const version = inDoubt ? left.floor : goal;
  const since = new Date(now).toISOString();
  const stack = stackBelow(snapshot, left, version);
  const live: LivePointer = {
    version,
    lineage: left.lineage,
    epoch: left.epoch + 1,
    liveEpoch: left.epoch + 1,
    previous: stack[0] ?? null,
    stack: [...stack],
    byRollback: true,
    lastLeft: { version: left.version, at: since },
    floor: left.floor,
    since,
    canary: null,
  };
  const state = isForHarm(request) ? "QUARANTINED" : "RETIRED";
  const stale = staleChallengers(snapshot, live, actor);
  const entry = { at: since, actor, epoch: live.epoch, decisionId: decisionId ?? null };
  const action = automatic ? "auto-rollback" : "rollback";
  const entries: UnsealedEntry[] = [
    { ...entry, action, version, from: left.version, reason },
    ...stale.entries,
  ];
  const writes: Write[] = [
    ...pointerWrites(live),
    ...stale.writes,
    ...stateWrites(left.version, state, automatic ? reason : `an operator rolled back: ${reason}`),
    ...stateWrites(version, "LIVE", `${left.version} was rolled back: ${reason}`),
  ];
  if (left.previous !== null && left.previous !== version) {
    writes.push(...stateWrites(left.previous, "RETIRED", `rolled back past it to ${version}`));
  }
  if (live.previous !== null) {
    writes.push(...stateWrites(live.previous, "PREVIOUS", `what a rollback from ${version} returns to`));
  }
  if (doubts.length > 0) writes.push(["freeze", "automatic", JSON.stringify(doubts)]);
  if (inDoubt) {
    const why = `${doubts.length} automatic rollbacks within 24 hours`;
    writes.push(["freeze", "since", since], ["freeze", "reason", why]);
    entries.push({ ...entry, action: "freeze", version, from: null, reason: why });
  }
  return { live, left: left.version, state, entries, writes };
}

/** A clock set back must not hide a repeat, so distance counts in both directions. */
function recentAutomatic({ automaticRollbacks }: Snapshot, now: number): readonly number[] {
  return automaticRollbacks.filter((at) => Math.abs(now - at) < DOUBT_WINDOW_MS);
}
