import { goalVersion } from "./rollback-goal.ts";
import type { Snapshot } from "./snapshot.ts";
import type { LivePointer, RollbackRequest, RollbackResult } from "./types.ts";

/** Of two rollbacks within this long that name nothing, the second is taken for a repeat of the first. */
export const REPEAT_MS = 60_000;

/** What a rollback that does nothing answers with. */
export type NoRollback = Pick<RollbackResult, "left" | "to" | "sentence">;

/**
 * Why a rollback has nothing to do, or null when it has. Two operators, or an operator and the gate, who press the button
 * for the same reason must not walk down two rungs: the second is told so, and names what it leaves if it means it.
 */
export function whyNoRollback(snapshot: Snapshot, request: RollbackRequest, now: number): NoRollback | null {
  const { live } = snapshot;
  if (live === null) return null;
  const { expectedLive, to = "previous" } = request;
  const canary = live.canary?.version;
  const isServed = expectedLive === live.version || (expectedLive === canary && to === "previous");
  if (expectedLive !== undefined && !isServed) return notLive(snapshot, live, expectedLive, now);
  if (to === "previous") return expectedLive === undefined ? repeat(live, now) : null;
  const goal = goalVersion(snapshot, live, to);
  if (goal !== live.version) return null;
  return nothing(live, live.version, `${goal} is live already, since ${live.since}`);
}

function notLive(snapshot: Snapshot, live: LivePointer, version: string, now: number): NoRollback {
  const left = live.lastLeft?.version === version ? `${leftAgo(live, now)} already` : null;
  const state = snapshot.states.get(version);
  const problem =
    left ?? (state === undefined ? `${version} is not a version` : `${version} is not live (${state})`);
  return nothing(live, version, `${problem}; live is ${live.version}, since ${live.since}`);
}

/** A clock set back must not turn a repeat into a step down, so distance counts in both directions. */
function repeat(live: LivePointer, now: number): NoRollback | null {
  if (live.lastLeft === null || Math.abs(now - Date.parse(live.lastLeft.at)) >= REPEAT_MS) return null;
  const further = `to leave it too, name it (expectedLive ${live.version})`;
  const sentence = `${leftAgo(live, now)} already, and ${live.version} is live; ${further}`;
  return nothing(live, live.lastLeft.version, sentence);
}

function leftAgo({ lastLeft }: LivePointer, now: number): string {
  if (lastLeft === null) return "";
  const seconds = Math.round((now - Date.parse(lastLeft.at)) / 1000);
  return seconds >= 0 && seconds < REPEAT_MS / 1000
    ? `${lastLeft.version} was left ${seconds} s ago`
    : `${lastLeft.version} was left at ${lastLeft.at}`;
}

function nothing({ version }: LivePointer, left: string, why: string): NoRollback {
  return { left, to: version, sentence: `Nothing to do: ${why}.` };
}
