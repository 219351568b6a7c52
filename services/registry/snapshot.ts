import type { Redis } from "ioredis";
import type { VersionState } from "../../models/gate/states.ts";
import { GENESIS_SHA256 } from "../../models/hash-chain.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore } from "../store-errors.ts";
import { SNAPSHOT_LUA } from "./snapshot.lua.ts";
import type { LivePointer, VersionRecord } from "./types.ts";

const key = (name: string): string => `registry:${name}`;

export const REGISTRY_KEYS = {
  /** Hash: sha256 and sequence of the last audit entry. */
  tip: key("tip"),
  /** List: audit entries, oldest first. */
  audit: key("audit"),
  /** Hash: the live pointer. */
  live: key("live"),
  /** Hashes by version: what never changes of it, its state, why. */
  facts: key("facts"),
  states: key("states"),
  reasons: key("reasons"),
  /** Hash of attempt counts, see `attempts.ts`. */
  attempts: key("attempts"),
  /** Hash: the times of the latest automatic rollbacks, and the freeze that one too many set. */
  freeze: key("freeze"),
  /** Hash of API keys, which `services/keys` reads: a change of one and its audit entry are one commit. */
  keys: "keys",
} as const;

/** Where a change of the live pointer is announced. */
export const LIVE_CHANNEL = key("live-changed");

/** What is known of a version from its registration on. */
export type VersionFacts = Omit<VersionRecord, "state" | "reason" | "attempts">;

/** Promotions stopped after repeated automatic rollbacks, until an operator lifts it. */
export interface Freeze {
  /** ISO 8601. */
  readonly since: string;
  readonly reason: string;
}

/** The whole registry at one moment; its audit tip changes with every change of anything in it. */
export interface Snapshot {
  readonly tip: { readonly sequence: number; readonly sha256: string };
  readonly live: LivePointer | null;
  readonly facts: ReadonlyMap<string, VersionFacts>;
  readonly states: ReadonlyMap<string, VersionState>;
  readonly reasons: Readonly<Record<string, string>>;
  readonly attempts: Readonly<Record<string, string>>;
  readonly freeze: Freeze | null;
  /** Epoch milliseconds of the latest automatic rollbacks that nobody has looked at, oldest first. */
  readonly automaticRollbacks: readonly number[];
}

type Fields = Record<string, string>;

export function snapshotReader(redis: Redis): () => Promise<Snapshot> {
  const runSnapshot = luaScript(redis, SNAPSHOT_LUA);
  const { tip, live, facts, states, reasons, attempts, freeze } = REGISTRY_KEYS;
  const keys = [tip, live, facts, states, reasons, attempts, freeze];
  return async () => {
    const hashes = (await fromStore("read registry", runSnapshot(keys, []))) as string[][];
    return snapshotOf(hashes.map(fieldsOf));
  };
}

function fieldsOf(flat: readonly string[]): Fields {
  const fields: Fields = {};
  for (let at = 0; at < flat.length; at += 2) fields[flat[at]] = flat[at + 1];
  return fields;
}

function snapshotOf(hashes: readonly Fields[]): Snapshot {
  const [tipOf, liveOf, factsOf, statesOf, reasonsOf, attemptsOf, freezeOf] = hashes;
  return {
    tip: { sequence: Number(tipOf.sequence ?? 0), sha256: tipOf.sha256 ?? GENESIS_SHA256 },
    live: pointerOf(liveOf),
    facts: new Map(
      Object.entries(factsOf).map(([version, text]) => [version, JSON.parse(text) as VersionFacts]),
    ),
    states: new Map(Object.entries(statesOf) as [string, VersionState][]),
    reasons: reasonsOf,
    attempts: attemptsOf,
    freeze: freezeOf.since === undefined ? null : { since: freezeOf.since, reason: freezeOf.reason },
    automaticRollbacks: freezeOf.automatic === undefined ? [] : (JSON.parse(freezeOf.automatic) as number[]),
  };
}

export async function readLive(redis: Redis): Promise<LivePointer | null> {
  return pointerOf(await fromStore("read live pointer", redis.hgetall(REGISTRY_KEYS.live)));
}

function pointerOf(fields: Fields): LivePointer | null {
  if (fields.version === undefined) return null;
  return {
    version: fields.version,
    lineage: fields.lineage ?? "",
    epoch: Number(fields.epoch),
    previous: fields.previous ?? null,
    stack: [...storedStack(fields.previous ?? null, fields.stack)],
    byRollback: fields.byRollback === "1",
    lastLeft: fields.lastLeft === undefined ? null : JSON.parse(fields.lastLeft),
    liveEpoch: Number(fields.liveEpoch ?? fields.epoch),
    floor: fields.floor,
    since: fields.since,
    canary:
      fields.canary === undefined
        ? null
        : {
            version: fields.canary,
            share: Number(fields.canaryShare),
            forced: fields.canaryForced === "1",
          },
  };
}

/**
 * `previous` is the older field, which every release writes; a stack that does not begin with it was left behind by one
 * that knows no stack.
 */
function storedStack(previous: string | null, stored: string | undefined): readonly string[] {
  const stack = stored === undefined ? [] : (JSON.parse(stored) as string[]);
  if ((stack[0] ?? null) === previous) return stack;
  return previous === null ? [] : [previous];
}
