import { PhasewiseError } from "../errors.ts";
import type { Snapshot } from "./snapshot.ts";
import { restingIn } from "./stack.ts";
import type { LivePointer } from "./types.ts";

/** Where a rollback is to lead: `previous`, `floor`, `phase 1` … `phase 4`, or a version that was live. */
export const GOAL_PATTERN = "^(phase [1-4]|[a-z0-9][a-z0-9._-]{0,63})$";

const OF_PHASE = /^phase ([1-4])$/;

/**
 * The version that a goal means. It may be the live one: then the goal is reached already.
 * @throws NOT_FOUND, NOTHING_TO_ROLL_BACK
 */
export function goalVersion(snapshot: Snapshot, live: LivePointer, to: string): string {
  const resting = restingIn(snapshot, live);
  if (to === "floor") return live.floor;
  if (to === "previous") return resting[0] ?? live.floor;
  const phase = OF_PHASE.exec(to)?.[1];
  const reachable = [live.version, ...resting, live.floor];
  const found =
    phase === undefined
      ? reachable.find((version) => version === to)
      : reachable.find((version) => snapshot.facts.get(version)?.phase === Number(phase));
  if (found !== undefined) return found;
  if (phase === undefined && !snapshot.facts.has(to)) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `rollback: expected previous, floor, a phase ("phase 2") or a registered version, got "${to}"`,
    );
  }
  const choice = [...new Set([...resting, live.floor])].filter((version) => version !== live.version);
  const state = phase === undefined ? ` (${snapshot.states.get(to)})` : "";
  throw new PhasewiseError(
    "NOTHING_TO_ROLL_BACK",
    `rollback to ${to}${state}: expected one of what was live (${choice.join(", ") || "nothing"}); anything else is promoted`,
    { live },
  );
}
