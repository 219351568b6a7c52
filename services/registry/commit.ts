import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { sealed } from "../../models/hash-chain.ts";
import { PhasewiseError } from "../errors.ts";
import { luaScript } from "../lua-script.ts";
import { channelOf } from "../redis.ts";
import { toStore } from "../store-errors.ts";
import { COMMIT_LUA } from "./commit.lua.ts";
import { LIVE_CHANNEL, REGISTRY_KEYS, type Snapshot, snapshotReader } from "./snapshot.ts";
import type { AuditEntry } from "./types.ts";

type HashName = Exclude<keyof typeof REGISTRY_KEYS, "tip" | "audit">;

/** Sets a field of one of the registry's hashes; null removes it. */
export type Write = readonly [hash: HashName, field: string, value: string | null];

export type UnsealedEntry = Omit<AuditEntry, "sequence" | "previousSha256" | "sha256">;

/** A change that was decided on a snapshot: its audit entries, at least one, and what it writes. */
export interface Change {
  readonly entries: readonly UnsealedEntry[];
  readonly writes: readonly Write[];
}

/** Every lost round means that another commit won, so this many would take a storm of operators. */
const MAX_ROUNDS = 100;

const HASHES: readonly HashName[] = ["live", "facts", "states", "reasons", "attempts", "freeze", "keys"];

/**
 * How the registry changes: read everything, decide in plain TypeScript, commit if nothing has moved since.
 *
 * Every change appends to the audit, so the audit's tip stands for the state of the whole registry: comparing
 * it (and the epoch) in the commit script makes the decision hold at the moment of the write. Whoever lost the
 * race decides again on what is there now. `decide` throws to refuse, or returns null when there is nothing to
 * change. Resolves to the snapshot and the decision that were committed.
 */
export function committer(redis: Redis) {
  const runCommit = luaScript(redis, COMMIT_LUA);
  const readSnapshot = snapshotReader(redis);
  const channel = channelOf(redis, LIVE_CHANNEL);

  return async function commit<C extends Change | null>(
    attempt: string,
    decide: (snapshot: Snapshot) => C | Promise<C>,
  ): Promise<{ readonly snapshot: Snapshot; readonly change: C }> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const snapshot = await readSnapshot();
      const change = await decide(snapshot);
      if (change === null) return { snapshot, change };
      const reply = await toStore(attempt, runCommit(...commitCall(snapshot, change, channel)));
      if (reply === 1) return { snapshot, change };
    }
    throw new PhasewiseError(
      "CONFLICT",
      `${attempt}: expected to find the registry still for a moment, but it changed ${MAX_ROUNDS} times under this call; try again`,
    );
  };
}

function commitCall(snapshot: Snapshot, change: Change, channel: string): [string[], (string | number)[]] {
  let { sequence, sha256 } = snapshot.tip;
  const lines: string[] = [];
  for (const entry of change.entries) {
    const link = sealed({ sequence: ++sequence, ...entry, previousSha256: sha256 });
    sha256 = link.sha256;
    lines.push(JSON.stringify(link));
  }
  const keys = [REGISTRY_KEYS.tip, REGISTRY_KEYS.audit, ...HASHES.map((name) => REGISTRY_KEYS[name])];
  const writes = change.writes.flatMap(([name, field, value]) => [
    keys.indexOf(REGISTRY_KEYS[name]) + 1,
    field,
    value ?? "",
  ]);
  const args = [
    snapshot.tip.sha256,
    snapshot.live?.epoch ?? 0,
    randomUUID(),
    snapshot.tip.sequence + 1,
    sequence,
    sha256,
    channel,
    lines.length,
    ...lines,
    ...writes,
  ];
  return [keys, args];
}
