import Type, { type Static } from "typebox";
import type { Manifest } from "../../models/artifact/manifest.ts";
import { VERSION_STATES, type VersionState } from "../../models/gate/states.ts";
import { Phase } from "../../models/recipe.ts";

// Each record is one schema: its type, what the API may answer, and the API's own description.
const IsoTime = Type.String({ description: "ISO 8601" });

export const VersionRecord = Type.Object({
  version: Type.String(),
  phase: Phase,
  recipe: Type.String(),
  state: Type.Enum([...VERSION_STATES], { type: "string" }),
  reason: Type.String({ description: "why it is in this state, in words" }),
  manifestSha256: Type.String({ description: "SHA-256 of the manifest, hex" }),
  sha256: Type.String({ description: "SHA-256 of the arrays' file, hex" }),
  dataSha256: Type.String({ description: "SHA-256 of the snapshot it was trained on, hex" }),
  registeredAt: IsoTime,
  attempts: Type.Integer({ description: "attempts against the present baseline; each spends some of α" }),
});
export type VersionRecord = Readonly<Static<typeof VersionRecord>>;

/** A version that serves a share of the users before it may serve all. */
export const CanaryPointer = Type.Object({
  version: Type.String(),
  share: Type.Number({
    description:
      "share of the users on it, 0 … 1, exclusive, by hash of the user id; the others stay with the live one",
  }),
  forced: Type.Boolean({
    description: "started without the gate's verdict: it is never promoted without force either",
  }),
});
export type CanaryPointer = Readonly<Static<typeof CanaryPointer>>;

/** What is served right now. The epoch grows by one at every change and never goes back within a lineage. */
export const LivePointer = Type.Object({
  version: Type.String(),
  lineage: Type.String({
    description:
      "of all pointers since the first promotion on an empty Redis; another one means that Redis lost its data",
  }),
  epoch: Type.Integer(),
  liveEpoch: Type.Integer({
    description: "the epoch at which the version went live; the steps of a canary leave it as it is",
  }),
  previous: Type.Union([Type.String(), Type.Null()], {
    description: "the version a rollback returns to; null when only the floor is left",
  }),
  stack: Type.Array(Type.String(), {
    description: "what was live before and can be returned to, nearest first; the first is `previous`",
  }),
  byRollback: Type.Boolean({
    description: "went live by a rollback, so that it is not watched beside the version before it",
  }),
  lastLeft: Type.Union([Type.Object({ version: Type.String(), at: IsoTime }), Type.Null()], {
    description: "what a rollback, or the end of a canary, has left since the last promotion, and when",
  }),
  floor: Type.String({ description: "the phase-1 version that is always loadable" }),
  since: IsoTime,
  canary: Type.Union([CanaryPointer, Type.Null()]),
});
export type LivePointer = Readonly<Static<typeof LivePointer>>;

const AuditAction = Type.Enum(
  [
    "register",
    "state",
    "promote",
    "force-promote",
    "rollback",
    "auto-rollback",
    "canary",
    "force-canary",
    "canary-end",
    "pair",
    "release",
    "freeze",
    "unfreeze",
    "key-create",
    "key-rotate",
    "key-revoke",
  ],
  { type: "string" },
);
export type AuditAction = Static<typeof AuditAction>;

/** Append-only and hash-chained: `sha256` covers the entry without itself, which covers `previousSha256`. */
export const AuditEntry = Type.Object({
  sequence: Type.Integer(),
  at: IsoTime,
  actor: Type.String(),
  action: AuditAction,
  version: Type.String(),
  from: Type.Union([Type.String(), Type.Null()], {
    description: "the version that was left (moves of the live pointer) or the state that was left (states)",
  }),
  epoch: Type.Integer(),
  reason: Type.String(),
  decisionId: Type.Union([Type.String(), Type.Null()]),
  previousSha256: Type.String(),
  sha256: Type.String(),
});
export type AuditEntry = Readonly<Static<typeof AuditEntry>>;

export interface PromoteRequest {
  readonly version: string;
  /** What the caller believes is live; null when nothing is yet. */
  readonly expectedLive: string | null;
  readonly expectedEpoch?: number | undefined;
  readonly reason: string;
  readonly actor: string;
  readonly decisionId?: string | undefined;
  /** Promote whatever its state (never a QUARANTINED version, nor the PREVIOUS one); recorded as forced. */
  readonly force?: boolean | undefined;
}

export interface CanaryRequest extends PromoteRequest {
  /** Share of the users from now on; 0 ends the canary: it is RETIRED. */
  readonly share: number;
}

export const CanaryResult = Type.Object({
  live: LivePointer,
  changed: Type.Boolean({
    description: "false when the canary was at this share already, or to be ended and not running",
  }),
});
export type CanaryResult = Readonly<Static<typeof CanaryResult>>;

/**
 * While a canary runs, the newest version is the canary: a rollback that names neither a version nor a goal, or names
 * the canary, ends the canary and leaves the live version alone. Any other leaves the live version.
 */
export interface RollbackRequest {
  /** Version to leave. When it neither is live nor the canary the call is a no-op: it was already left. */
  readonly expectedLive?: string | undefined;
  /** `previous` (the default), `floor`, `phase 1` … `phase 4`, or a version that was live. */
  readonly to?: string | undefined;
  readonly reason: string;
  readonly actor: string;
  /** By the service itself, for proven harm or failure; counted against the ladder when it happens too often. */
  readonly automatic?: boolean | undefined;
  /** Only says what would be done. */
  readonly dryRun?: boolean | undefined;
  /**
   * The record that proves harm or failure, when there is one: then what is left is QUARANTINED. An operator's rollback
   * without one judges nothing: it is RETIRED.
   */
  readonly decisionId?: string | undefined;
}

export const RollbackResult = Type.Object({
  live: LivePointer,
  changed: Type.Boolean({
    description: "false when there was nothing to do; of a dry run, whether there would be",
  }),
  dryRun: Type.Boolean(),
  left: Type.String({ description: "the version that is left" }),
  to: Type.String({ description: "the version that answers its users instead" }),
  sentence: Type.String({ description: "what was done, would be done, or why nothing was" }),
});
export type RollbackResult = Readonly<Static<typeof RollbackResult>>;

export interface ReleaseRequest {
  readonly version: string;
  readonly reason: string;
  readonly actor: string;
}

export interface Registry {
  /** Idempotent: registering the same version again changes nothing. */
  register(manifest: Manifest, manifestSha256: string, actor: string): Promise<VersionRecord>;
  versions(): Promise<readonly VersionRecord[]>;
  version(version: string): Promise<VersionRecord | null>;
  live(): Promise<LivePointer | null>;
  /** Moves a version between states outside LIVE. @throws CONFLICT when it is in none of `from` */
  transition(
    version: string,
    from: readonly VersionState[],
    to: VersionState,
    reason: string,
    actor: string,
  ): Promise<VersionRecord>;
  /** @throws LIVE_VERSION_CHANGED with the current pointer, NOT_PROMOTABLE, NOT_FOUND */
  promote(request: PromoteRequest): Promise<LivePointer>;
  /**
   * Starts, widens, narrows or (share 0) ends the canary; who else runs meanwhile stays as it is.
   * @throws as promote
   */
  canary(request: CanaryRequest): Promise<CanaryResult>;
  /** @throws NOTHING_TO_ROLL_BACK, NOT_FOUND for a goal that is no version */
  rollback(request: RollbackRequest): Promise<RollbackResult>;
  /**
   * Lets a QUARANTINED or RETIRED version face the gate again: it is STALE, to be screened against what is live.
   * False when it faces the gate already. @throws NOT_FOUND, CONFLICT in any other state
   */
  release(request: ReleaseRequest): Promise<boolean>;
  /** Newest last; `limit` of the latest. */
  audit(limit?: number): Promise<readonly AuditEntry[]>;
  /** Recomputes the whole chain. Returns the first sequence that does not verify, or null. */
  verifyAudit(): Promise<number | null>;
  /**
   * Calls back with the present live pointer, null when nothing is live, and then on every change that this process
   * hears of (pub/sub, with a poll behind it).
   */
  watchLive(onChange: (live: LivePointer | null) => void): Promise<{ close(): Promise<void> }>;
}
