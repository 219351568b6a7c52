import { mayBecome, type VersionState } from "../../models/gate/states.ts";

/** States whose evidence was gathered against the present baseline; a change of baseline makes it stale. */
export const OPEN_STATES: readonly VersionState[] = ["SHADOWING", "ELIGIBLE", "CANARY"];

/** States that only a move of the live pointer, or a release, may enter or leave. */
const POINTER_STATES: ReadonlySet<VersionState> = new Set([
  "LIVE",
  "PREVIOUS",
  "CANARY",
  "RETIRED",
  "QUARANTINED",
]);

/** Whether `from → to` is an arrow of the gate's table that neither touches the live pointer nor is a release. */
export function mayTransition(from: VersionState, to: VersionState): boolean {
  const isSuperseded = from === "SHADOWING" && to === "RETIRED";
  if (isSuperseded) return true;
  return mayBecome(from, to) && !POINTER_STATES.has(from) && !POINTER_STATES.has(to);
}
