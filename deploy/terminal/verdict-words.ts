import type { LadderVersion } from "../../services/serving/routes/ladder.ts";
import type { Look } from "../../services/shadow/looks.ts";

/** Looks that say more than the last decision: the judge looks often, and records a hold only when it changes. */
const CLIMBING: ReadonlySet<Look["about"]> = new Set(["shadow", "canary"]);

/** What is out of service for a reason of its own is told by that reason: how it once passed says nothing now. */
const TOLD_BY_STATE: ReadonlySet<LadderVersion["state"]> = new Set([
  "QUARANTINED",
  "RETIRED",
  "PREVIOUS",
  "STALE",
]);

/** Where a version stands, in a sentence or two. */
export function verdictOf({ lastDecision, lastLook, reason, diagnosis, live, state }: LadderVersion): string {
  const standing = lastLook !== null && CLIMBING.has(lastLook.about) ? lastLook.sentence : null;
  const verdict = TOLD_BY_STATE.has(state)
    ? `${reason[0]?.toUpperCase() ?? ""}${reason.slice(1)}.`.replace(/\.+$/, ".")
    : (standing ?? lastDecision?.sentence ?? reason);
  if (diagnosis === null || live) return verdict;
  return `${verdict} ${diagnosis[0].toUpperCase()}${diagnosis.slice(1)}.`;
}
