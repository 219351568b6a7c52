import { isRemoteVersion } from "../../models/remote/remote.ts";
import { PhasewiseError } from "../errors.ts";
import type { Change, Write } from "./commit.ts";
import { pointerWrites, staleChallengers, stateWrites } from "./pointer-move.ts";
import type { Snapshot } from "./snapshot.ts";
import { stackAbove } from "./stack.ts";
import type { LivePointer, PromoteRequest } from "./types.ts";

export interface PointerChange extends Change {
  readonly live: LivePointer;
}

/**
 * Decides a promotion on a snapshot. LIVE → PREVIOUS for the old version, PREVIOUS → RETIRED for the one before,
 * open challengers → STALE.
 * @throws NOT_FOUND, LIVE_VERSION_CHANGED, NOT_PROMOTABLE
 */
export function decidePromote(snapshot: Snapshot, request: PromoteRequest, now: number): PointerChange {
  const { version, actor } = request;
  const phase = snapshot.facts.get(version)?.phase;
  if (phase === undefined) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `promote: expected a registered version, got "${version}"; register it first`,
    );
  }
  refuseOtherLive(snapshot.live, request);
  refuseUnfit(snapshot, request, phase === 1);

  const left = snapshot.live;
  const epoch = (left?.epoch ?? 0) + 1;
  const stack = stackAbove(snapshot, version);
  const live: LivePointer = {
    version,
    // Named after the audit entry that the first promotion was built on: no two begin alike.
    lineage: left?.lineage || snapshot.tip.sha256.slice(0, 16),
    epoch,
    liveEpoch: epoch,
    previous: left?.version ?? null,
    stack: [...stack],
    byRollback: false,
    lastLeft: null,
    floor: left?.floor ?? version,
    since: new Date(now).toISOString(),
    canary: null,
  };
  const writes: Write[] = [...pointerWrites(live), ...stateWrites(version, "LIVE", request.reason)];
  if (left !== null) {
    writes.push(...stateWrites(left.version, "PREVIOUS", `${version} was promoted over it`));
    if (left.previous !== null) {
      writes.push(...stateWrites(left.previous, "RETIRED", `${version} was promoted two versions later`));
    }
  }
  const stale = staleChallengers(snapshot, live, actor);
  return {
    live,
    entries: [
      {
        at: live.since,
        actor,
        action: request.force === true ? "force-promote" : "promote",
        version,
        from: left?.version ?? null,
        epoch: live.epoch,
        reason: request.reason,
        decisionId: request.decisionId ?? null,
      },
      ...stale.entries,
    ],
    writes: [...writes, ...stale.writes],
  };
}

export function refuseOtherLive(live: LivePointer | null, request: PromoteRequest): void {
  const { expectedLive, expectedEpoch } = request;
  const epochHolds = expectedEpoch === undefined || expectedEpoch === (live?.epoch ?? 0);
  if (expectedLive === (live?.version ?? null) && epochHolds) return;
  const expected = `${expectedLive ?? "nothing"}${expectedEpoch === undefined ? "" : ` at epoch ${expectedEpoch}`}`;
  const got = live === null ? "nothing" : `${live.version} at epoch ${live.epoch}`;
  throw new PhasewiseError(
    "LIVE_VERSION_CHANGED",
    `promote: expected ${expected} to be live, got ${got}; compare with what is live now and ask again`,
    { live },
  );
}

/** @throws NOT_PROMOTABLE */
export function refuseUnfit(snapshot: Snapshot, request: PromoteRequest, isFloor: boolean): void {
  const { version } = request;
  const state = snapshot.states.get(version);
  const refuse = (problem: string, remedy: string): never => {
    throw new PhasewiseError("NOT_PROMOTABLE", `promote ${version}: ${problem}; ${remedy}`, {
      version,
      state,
      frozen: snapshot.freeze !== null,
    });
  };
  if (isRemoteVersion(version)) {
    refuse(
      "it is a ranker behind a URL, which is judged and never served here",
      "serve it where it is, or import its factors (phasewise import-model)",
    );
  }
  if (state === "QUARANTINED") {
    refuse(
      `expected a version that may serve, got QUARANTINED (${snapshot.reasons[version] ?? "no reason kept"})`,
      "train a new one, or release it first (phasewise release VERSION --reason TEXT)",
    );
  }
  if (snapshot.freeze !== null) {
    refuse(
      `promotions are frozen since ${snapshot.freeze.since}: ${snapshot.freeze.reason}`,
      "find the cause, then lift the freeze (phasewise unfreeze --reason TEXT)",
    );
  }
  if (state === "LIVE") refuse("it is live already", "there is nothing to do");
  if (state === "PREVIOUS") refuse("it is what a rollback returns to", "roll back to it");
  if (snapshot.live === null && !isFloor) {
    refuse(
      "expected the first version ever promoted to be of phase 1, the floor",
      "promote one of phase 1 first",
    );
  }
  if (request.force === true) {
    if (request.reason.trim() === "") refuse("expected a reason for forcing it, got none", "give one");
    return;
  }
  const passed = state === "ELIGIBLE" || (state === "CANARY" && snapshot.live?.canary?.forced === false);
  if (!passed && snapshot.live !== null) {
    refuse(
      `expected state ELIGIBLE, got ${state === "CANARY" ? "a CANARY that was forced" : state} (${snapshot.reasons[version] ?? "no reason kept"})`,
      state === "RETIRED"
        ? "release it to face the gate again (phasewise release VERSION --reason TEXT), or force it with a reason"
        : "let the gate find it eligible, or force it with a reason",
    );
  }
}
