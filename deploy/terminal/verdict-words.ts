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
  // How it stood as a challenger, when the judge looked last, is over once it is live.
  const isStanding = lastLook !== null && CLIMBING.has(lastLook.about) && !live;
  const standing = isStanding ? lastLook.sentence : null;
  const isOver = live && lastDecision?.ruling.verdict === "hold";
  const verdict =
    TOLD_BY_STATE.has(state) || isOver
      ? asSentence(reason)
      : (standing ?? lastDecision?.sentence ?? asSentence(reason));
  if (diagnosis === null || live) return verdict;
  return `${verdict} ${asSentence(diagnosis)}`;
}

/** With a capital letter, unless it begins with a version: that is to be copied. */
function asSentence(text: string): string {
  const first = /^[a-z0-9-]+-[0-9a-f]{12}\b/.test(text) ? (text[0] ?? "") : (text[0]?.toUpperCase() ?? "");
  return `${first}${text.slice(1)}.`.replace(/\.+$/, ".");
}
