import type { VersionState } from "../../models/gate/states.ts";
import { PhasewiseError } from "../errors.ts";
import { pointerWrites, stateWrites } from "./pointer-move.ts";
import { type PointerChange, refuseOtherLive, refuseUnfit } from "./promote.ts";
import type { Snapshot } from "./snapshot.ts";
import type { AuditAction, CanaryPointer, CanaryRequest, LivePointer, RollbackRequest } from "./types.ts";

/**
 * Decides a step of a canary on a snapshot: ELIGIBLE → CANARY at its start, CANARY → STALE when it is ended
 * without blame, so that it may try again. The live version, its predecessor and all other challengers stay as
 * they are; the epoch grows, so every replica hears of it. Null when there is nothing to change.
 * @throws NOT_FOUND, LIVE_VERSION_CHANGED, NOT_PROMOTABLE
 */
export function decideCanary(snapshot: Snapshot, request: CanaryRequest, now: number): PointerChange | null {
  const { version, share, actor, reason } = request;
  if (!snapshot.facts.has(version)) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `canary: expected a registered version, got "${version}"; register it first`,
    );
  }
  if (!(share >= 0 && share < 1)) {
    throw new RangeError(
      `canary ${version}: expected a share from 0 to below 1, got ${share}; promote for 1`,
    );
  }
  refuseOtherLive(snapshot.live, request);
  const live = liveBelow(snapshot, version);
  const running = live.canary;
  if (running !== null && running.version !== version) {
    refuse(version, `${running.version} is the canary already`, "promote it, end it or roll it back first");
  }
  if (share === (running?.share ?? 0)) return null;
  const common = { snapshot, at: now, actor, decisionId: request.decisionId ?? null };
  if (share === 0) {
    return step({ ...common, version, canary: null, state: "STALE", action: "canary-end", reason });
  }
  if (running === null) refuseUnfit(snapshot, request, false);
  const forced = running?.forced ?? request.force === true;
  const words = `${Number((100 * share).toFixed(2))} % of the users: ${reason}`;
  return step({
    ...common,
    version,
    canary: { version, share, forced },
    state: "CANARY",
    action: forced ? "force-canary" : "canary",
    reason: words,
  });
}

/** Decides to leave the canary for good: CANARY → QUARANTINED. Live did no wrong and is not counted against. */
export function decideCanaryRollback(
  snapshot: Snapshot,
  left: string,
  request: RollbackRequest,
  now: number,
): PointerChange & { readonly left: string } {
  const { actor, reason } = request;
  const change = step({
    snapshot,
    at: now,
    actor,
    decisionId: request.decisionId ?? null,
    version: left,
    canary: null,
    state: "QUARANTINED",
    action: "canary-end",
    reason: `rolled back: ${reason}`,
  });
  return { ...change, left };
}

interface Step {
  readonly snapshot: Snapshot;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: string;
  readonly decisionId: string | null;
  readonly version: string;
  readonly canary: CanaryPointer | null;
  readonly state: VersionState;
  readonly action: AuditAction;
  readonly reason: string;
}

function step({ snapshot, at, version, canary, state, reason, ...who }: Step): PointerChange {
  // A canary runs beside a live version only.
  const present = snapshot.live as LivePointer;
  const live: LivePointer = { ...present, epoch: present.epoch + 1, canary };
  const entry = { ...who, at: new Date(at).toISOString(), version, reason };
  return {
    live,
    entries: [{ ...entry, from: present.version, epoch: live.epoch }],
    writes: [...pointerWrites(live), ...stateWrites(version, state, reason)],
  };
}

/** The live version that the canary would run beside. */
function liveBelow({ live }: Snapshot, version: string): LivePointer {
  if (live === null) {
    return refuse(version, "nothing is live that the other users could stay with", "promote a floor first");
  }
  if (version === live.previous || version === live.floor) {
    refuse(version, "it is what a rollback returns to", "roll back to it, or promote it");
  }
  return live;
}

function refuse(version: string, problem: string, remedy: string): never {
  throw new PhasewiseError("NOT_PROMOTABLE", `canary ${version}: ${problem}; ${remedy}`, { version });
}
