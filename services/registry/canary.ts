import type { VersionState } from "../../models/gate/states.ts";
import { PhasewiseError } from "../errors.ts";
import { pointerWrites, stateWrites } from "./pointer-move.ts";
import { type PointerChange, refuseOtherLive, refuseUnfit } from "./promote.ts";
import type { Snapshot } from "./snapshot.ts";
import { restingIn } from "./stack.ts";
import type { AuditAction, CanaryPointer, CanaryRequest, LivePointer, RollbackRequest } from "./types.ts";

/** What becomes of a version that served and was left for good. */
export type LeftState = Extract<VersionState, "RETIRED" | "QUARANTINED">;

/**
 * Decides a step of a canary on a snapshot: ELIGIBLE → CANARY at its start, CANARY → RETIRED when it is ended, which
 * judges nothing. The live version, its predecessor and all other challengers stay as
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
    return step({ ...common, version, canary: null, state: "RETIRED", action: "canary-end", reason });
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

/** Whether harm or failure is proven: by who rolls back by itself, or by the record that an operator acts on. */
export function isForHarm({ automatic, decisionId }: RollbackRequest): boolean {
  return automatic === true || decisionId !== undefined;
}

/**
 * Decides to leave the canary: CANARY → QUARANTINED for proven harm or failure, else → RETIRED. Live did no wrong and
 * is not counted against.
 */
export function decideCanaryRollback(
  snapshot: Snapshot,
  left: string,
  request: RollbackRequest,
  now: number,
): PointerChange & { readonly left: string; readonly state: LeftState } {
  const { actor, reason } = request;
  const state = isForHarm(request) ? "QUARANTINED" : "RETIRED";
  const change = step({
    snapshot,
    at: now,
    actor,
    decisionId: request.decisionId ?? null,
    version: left,
    canary: null,
    state,
    action: "canary-end",
    reason: `rolled back: ${reason}`,
  });
  return { ...change, left, state };
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
  const time = new Date(at).toISOString();
  const live: LivePointer = {
    ...present,
    epoch: present.epoch + 1,
    stack: [...restingIn(snapshot, present, version)],
    lastLeft: canary === null ? { version, at: time } : null,
    canary,
  };
  const entry = { ...who, at: time, version, reason };
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
