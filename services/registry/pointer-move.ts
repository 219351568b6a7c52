import type { VersionState } from "../../models/gate/states.ts";
import type { UnsealedEntry, Write } from "./commit.ts";
import type { Snapshot } from "./snapshot.ts";
import { OPEN_STATES } from "./states.ts";
import type { LivePointer } from "./types.ts";

export function pointerWrites(live: LivePointer): Write[] {
  return [
    ["live", "version", live.version],
    ["live", "lineage", live.lineage],
    ["live", "epoch", String(live.epoch)],
    ["live", "previous", live.previous],
    stackWrite(live.stack),
    ["live", "byRollback", live.byRollback ? "1" : null],
    ["live", "lastLeft", live.lastLeft === null ? null : JSON.stringify(live.lastLeft)],
    ["live", "floor", live.floor],
    ["live", "liveEpoch", String(live.liveEpoch)],
    ["live", "since", live.since],
    ["live", "canary", live.canary?.version ?? null],
    ["live", "canaryShare", live.canary === null ? null : String(live.canary.share)],
    ["live", "canaryForced", live.canary === null ? null : String(Number(live.canary.forced))],
  ];
}

export function stackWrite(stack: readonly string[]): Write {
  return ["live", "stack", JSON.stringify(stack)];
}

export function stateWrites(version: string, state: VersionState, reason: string): Write[] {
  return [
    ["states", version, state],
    ["reasons", version, reason],
  ];
}

/** Challengers were compared with the old baseline: their evidence says nothing about the new one. */
export function staleChallengers(
  snapshot: Snapshot,
  live: LivePointer,
  actor: string,
): { readonly entries: UnsealedEntry[]; readonly writes: Write[] } {
  const entries: UnsealedEntry[] = [];
  const writes: Write[] = [];
  for (const [version, state] of snapshot.states) {
    if (!OPEN_STATES.includes(state) || version === live.version) continue;
    const reason = `the baseline changed to ${live.version}`;
    entries.push({
      at: live.since,
      actor,
      action: "state",
      version,
      from: state,
      epoch: live.epoch,
      reason: `STALE: ${reason}`,
      decisionId: null,
    });
    writes.push(...stateWrites(version, "STALE", reason));
  }
  return { entries, writes };
}
