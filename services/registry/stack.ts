import type { VersionState } from "../../models/gate/states.ts";
import type { Snapshot } from "./snapshot.ts";
import type { LivePointer } from "./types.ts";

/**
 * What was live, nearest first: where a rollback may return to. A promotion puts the version it replaces on top, a
 * rollback takes off everything down to where it lands. The first is PREVIOUS, all below it are RETIRED; whatever has
 * become a challenger again, or live, is not in it. The floor can always be returned to, in the stack or not.
 */
export const STACK_DEPTH = 20;

const RESTING: ReadonlySet<VersionState | undefined> = new Set(["PREVIOUS", "RETIRED"]);

/** The stack of the pointer, without what has left it by another way, such as `without`. */
export function restingIn(
  { states }: Pick<Snapshot, "states">,
  { stack }: Pick<LivePointer, "stack">,
  without?: string,
): readonly string[] {
  return stack.filter((version) => version !== without && RESTING.has(states.get(version)));
}

/** The stack after `version` has been promoted over what is live. */
export function stackAbove(snapshot: Snapshot, version: string): readonly string[] {
  const { live } = snapshot;
  if (live === null) return [];
  return [live.version, ...restingIn(snapshot, live, version)].slice(0, STACK_DEPTH);
}

/** The stack after a rollback from the live version to `goal`: what lies below it. */
export function stackBelow(snapshot: Snapshot, live: LivePointer, goal: string): readonly string[] {
  const resting = restingIn(snapshot, live);
  const at = resting.indexOf(goal);
  return at < 0 ? [] : resting.slice(at + 1);
}
