import type { VersionState } from "../../models/gate/states.ts";
import { PhasewiseError } from "../errors.ts";
import type { Change } from "./commit.ts";
import { stackWrite, stateWrites } from "./pointer-move.ts";
import type { Snapshot } from "./snapshot.ts";
import { restingIn } from "./stack.ts";
import type { ReleaseRequest } from "./types.ts";

const OUT_OF_SERVICE: ReadonlySet<VersionState | undefined> = new Set(["QUARANTINED", "RETIRED"]);
const FACES_THE_GATE: ReadonlySet<VersionState | undefined> = new Set([
  "STALE",
  "SCREENED",
  "SHADOWING",
  "ELIGIBLE",
  "CANARY",
]);

/**
 * Decides a release on a snapshot: QUARANTINED or RETIRED → STALE, from where the judge screens it against what is live
 * and the gate decides. A rollback then no longer returns to it. Null when it faces the gate already.
 * @throws NOT_FOUND, CONFLICT
 */
export function decideRelease(snapshot: Snapshot, request: ReleaseRequest, now: number): Change | null {
  const { version, reason, actor } = request;
  const { live } = snapshot;
  const state = snapshot.states.get(version);
  if (state === undefined) {
    throw new PhasewiseError("NOT_FOUND", `release: expected a registered version, got "${version}"`);
  }
  if (FACES_THE_GATE.has(state)) return null;
  if (!OUT_OF_SERVICE.has(state) || version === live?.floor) {
    const got = version === live?.floor ? "the phase-1 floor" : state;
    throw new PhasewiseError(
      "CONFLICT",
      `release ${version}: expected a QUARANTINED or RETIRED version, got ${got}; ${remedy(state, version === live?.floor)}`,
      { version, state },
    );
  }
  const words = `released from ${state}: ${reason}`;
  return {
    entries: [
      {
        at: new Date(now).toISOString(),
        actor,
        action: "release",
        version,
        from: state,
        epoch: live?.epoch ?? 0,
        reason,
        decisionId: null,
      },
    ],
    writes: [
      ...stateWrites(version, "STALE", words),
      ...(live === null ? [] : [stackWrite(restingIn(snapshot, live, version))]),
    ],
  };
}

function remedy(state: VersionState, isFloor: boolean): string {
  if (isFloor || state === "PREVIOUS") return "a rollback returns to it";
  if (state === "LIVE") return "it serves already";
  return state === "REJECTED"
    ? "the gate has judged it: train a new one, or force it with a reason"
    : "it is to be screened first";
}
