import type { Manifest } from "../../models/manifest.ts";
import type { Phase } from "../../models/recipe.ts";

/** Life of a version; the arrows between states are in `models/gate/states.ts`. */
export type VersionState =
  | "REGISTERED"
  | "SCREENED"
  | "SHADOWING"
  | "ELIGIBLE"
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

/** What is served right now. The epoch grows by one at every change and never goes back. */
export interface LivePointer {
  readonly version: string;
  readonly epoch: number;
  /** Version a rollback returns to; null when only the phase-1 floor is left. */
  readonly previous: string | null;
  /** The phase-1 version that is always loadable. */
  readonly floor: string;
  /** ISO 8601. */
  readonly since: string;
}

export type AuditAction =
  | "register"
  | "state"
  | "promote"
  | "force-promote"
  | "rollback"
  | "auto-rollback"
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
  /** Promote whatever its state (never a QUARANTINED version); recorded as forced. */
  readonly force?: boolean | undefined;
}

export interface RollbackRequest {
  /** Version to leave. When it is no longer live the call is a no-op: it was already left. */
  readonly expectedLive?: string | undefined;
  readonly reason: string;
  readonly actor: string;
  readonly automatic?: boolean | undefined;
  /** The record that proves the loss, when there is one. */
  readonly decisionId?: string | undefined;
}

export interface RollbackResult {
  readonly live: LivePointer;
  /** False when the version to leave was not live any more. */
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
