import type { Manifest } from "../../models/artifact/manifest.ts";
import type { Phase } from "../../models/recipe.ts";

/** Life of a version; the arrows between states are in `models/gate/states.ts`. */
export type VersionState =
  | "REGISTERED"
  | "SCREENED"
  | "SHADOWING"
  | "ELIGIBLE"
  | "CANARY"
  | "LIVE"
  | "PREVIOUS"
  | "RETIRED"
  | "REJECTED"
  | "STALE"
  | "QUARANTINED";

export interface VersionRecord {
  readonly version: string;
  readonly phase: Phase;
  readonly recipe: string;
  readonly state: VersionState;
  /** Why it is in this state, in words. */
  readonly reason: string;
  /** SHA-256 of the manifest, hex. */
  readonly manifestSha256: string;
  /** SHA-256 of the arrays' file, hex. */
  readonly sha256: string;
  readonly dataSha256: string;
  /** ISO 8601. */
  readonly registeredAt: string;
  /** Attempts made against the present baseline; each spends some of α. */
  readonly attempts: number;
}

/** A version that serves a share of the users before it may serve all. */
export interface CanaryPointer {
  readonly version: string;
  /** Share of the users, 0 … 1, exclusive; the others stay with the live version. */
  readonly share: number;
  /** Started without the gate's verdict: it is never promoted without force either. */
  readonly forced: boolean;
}

/** What is served right now. The epoch grows by one at every change and never goes back. */
export interface LivePointer {
  readonly version: string;
  readonly epoch: number;
  /** Epoch at which `version` went live: the steps of a canary leave it as it is. */
  readonly liveEpoch: number;
  /** Version a rollback returns to; null when only the phase-1 floor is left. */
  readonly previous: string | null;
  /** The phase-1 version that is always loadable. */
  readonly floor: string;
  /** ISO 8601. */
  readonly since: string;
  readonly canary: CanaryPointer | null;
}

export type AuditAction =
  | "register"
  | "state"
  | "promote"
  | "force-promote"
  | "rollback"
  | "auto-rollback"
  | "canary"
  | "force-canary"
  | "canary-end"
  | "freeze"
  | "unfreeze";

/** Append-only and hash-chained: `sha256` covers the entry without itself, which covers `previousSha256`. */
export interface AuditEntry {
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: string;
  readonly action: AuditAction;
  readonly version: string;
  /** The version that was left (pointer moves) or the state that was left (states). */
  readonly from: string | null;
  readonly epoch: number;
  readonly reason: string;
  readonly decisionId: string | null;
  readonly previousSha256: string;
  readonly sha256: string;
}

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
  /** Share of the users from now on; 0 ends the canary without blame. */
  readonly share: number;
}

export interface CanaryResult {
  readonly live: LivePointer;
  /** False when the canary was at this share already, or to be ended and not running. */
  readonly changed: boolean;
}

/**
 * While a canary runs, the newest version is the canary: a rollback that names no version, or names the canary,
 * ends the canary and leaves the live version alone. One that names the live version leaves that.
 */
export interface RollbackRequest {
  /** Version to leave. When it neither is live nor the canary the call is a no-op: it was already left. */
  readonly expectedLive?: string | undefined;
  readonly reason: string;
  readonly actor: string;
  readonly automatic?: boolean | undefined;
  /** The record that proves the loss, when there is one. */
  readonly decisionId?: string | undefined;
}

export interface RollbackResult {
  readonly live: LivePointer;
  /** False when the version to leave was not served any more. */
  readonly changed: boolean;
  readonly left: string;
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
  rollback(request: RollbackRequest): Promise<RollbackResult>;
  /** Newest last; `limit` of the latest. */
  audit(limit?: number): Promise<readonly AuditEntry[]>;
  /** Recomputes the whole chain. Returns the first sequence that does not verify, or null. */
  verifyAudit(): Promise<number | null>;
  /**
   * Calls back with the present live pointer, when there is one, and then on every change that this process
   * hears of (pub/sub, with a poll behind it).
   */
  watchLive(onChange: (live: LivePointer) => void): Promise<{ close(): Promise<void> }>;
}
