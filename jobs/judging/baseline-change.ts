import { goesOnUnder } from "../../models/gate/test-numbers.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { openPairs } from "./pairs.ts";
import { GATE } from "./record.ts";
import { screen } from "./screen.ts";

/**
 * After a change of the live version the others go on against it with what they already have, where their pair with it
 * is open. An attempt at a version that is neither live nor a challenger any more, or under other numbers of its test,
 * has lost its meaning: it is closed, and a challenger without another is screened anew. What the canary was in is
 * closed too: it has done its work.
 */
export async function settleBaselineChange(context: JobContext): Promise<void> {
  const live = await context.registry.live();
  if (live === null) return;
  const states = new Map((await context.registry.versions()).map(({ version, state }) => [version, state]));
  const open = (version: string): boolean => {
    const state = states.get(version);
    const waits = state === "SHADOWING" || state === "ELIGIBLE" || state === "STALE";
    return waits && version !== live.version && version !== live.canary?.version;
  };
  const releases = [...states.values()].includes("STALE")
    ? await releaseTimes(context)
    : new Map<string, string>();
  /** Users of before it was left say nothing of why it was left: it starts over, as the next attempt. */
  const isBeforeRelease = ({ challenger: { version }, startedAt }: Attempt): boolean =>
    states.get(version) === "STALE" && startedAt <= (releases.get(version) ?? "");
  const kept: Attempt[] = [];
  const ended = new Set<string>();
  for (const attempt of await context.shadowLog.openAttempts()) {
    const { challenger, baseline } = attempt;
    const mayBeFaced = baseline.version === live.version || open(baseline.version);
    const goesOn = goesOnUnder(attempt, context.policy) && !isBeforeRelease(attempt);
    if (mayBeFaced && open(challenger.version) && goesOn) kept.push(attempt);
    else {
      await context.shadowLog.close(attempt.id);
      ended.add(challenger.version);
    }
  }
  const facesLive = new Set(
    kept
      .filter(({ baseline }) => baseline.version === live.version)
      .map(({ challenger }) => challenger.version),
  );
  for (const [version, state] of states) {
    const why = `its baseline or the policy's numbers of its test changed`;
    const isOpen = state === "SHADOWING" || state === "ELIGIBLE";
    if (isOpen && ended.has(version) && !facesLive.has(version)) {
      await context.registry.transition(version, [state], "STALE", why, GATE);
    }
    if (state === "STALE" && facesLive.has(version)) {
      const reason = `goes on against ${live.version} with the users that it has`;
      await context.registry.transition(version, ["STALE"], "SHADOWING", reason, GATE);
    }
  }
  for (const record of await context.registry.versions()) {
    if (record.state === "STALE" || record.state === "SCREENED") await screen(context, record.version);
  }
  await closeWithoutChallenger(context, live.version);
  await openPairs(context, live.version);
}

/** When versions were last let back to the gate, ISO 8601. */
async function releaseTimes({ registry }: JobContext): Promise<ReadonlyMap<string, string>> {
  const entries = await registry.audit();
  return new Map(
    entries.filter(({ action }) => action === "release").map(({ version, at }) => [version, at]),
  );
}

/** A pair ends with the attempt of either of its two at the live version. */
async function closeWithoutChallenger(context: JobContext, live: string): Promise<void> {
  const open = await context.shadowLog.openAttempts();
  const facing = new Set(
    open.filter(({ baseline }) => baseline.version === live).map(({ challenger }) => challenger.version),
  );
  for (const { id, challenger, baseline } of open) {
    const isKept =
      facing.has(challenger.version) && (baseline.version === live || facing.has(baseline.version));
    if (!isKept) await context.shadowLog.close(id);
  }
}
