import type { ListFault } from "../../models/evaluation/list-faults.ts";
import type { ShadowPlan, VersionFacts } from "../../models/gate/evidence.ts";
import type { ChallengeKind } from "../../models/gate/margin.ts";
import type { BatchLedger } from "./batch-ledger.ts";

/** How one lane (a version asked in the shadow) answered one request. */
export type LaneFault = "error" | "timeout";

export interface LaneAnswer {
  /** Item ids, best first; empty when there was a fault. */
  readonly items: readonly string[];
  readonly elapsedMs: number;
  readonly fault: LaneFault | null;
  /** Rules that the list breaks. */
  readonly broken: readonly ListFault[];
  /** Whether the same query, asked again at once, gave the same list; null when it was not asked again. */
  readonly repeated: boolean | null;
  /** What the lane's thread held after it; absent when it was ended. */
  readonly memoryMb?: number | undefined;
  /** What the lane said of the fault. */
  readonly message?: string | undefined;
}

/** Challenger and baseline on the same request, from the same history. */
export interface ShadowPair {
  readonly requestId: string;
  readonly userId: string;
  /** The user's history as of the request: entries with sequence ≤ this. */
  readonly historyThrough: number;
  readonly k: number;
  readonly challenger: LaneAnswer;
  readonly baseline: LaneAnswer;
  /** Present when the attempt names a last upgrade. */
  readonly lastUpgrade?: LaneAnswer | undefined;
  /** Whether the baseline, asked in a second lane of its own, gave the same list; null when one did not answer. */
  readonly shamIdentical: boolean | null;
}

/** One run of a challenger against one baseline. A new baseline means a new attempt, with fresh users. */
export interface Attempt extends Lanes {
  /** `<challenger>~<baseline>~<number>`. */
  readonly id: string;
  readonly kind: ChallengeKind;
  /**
   * The version that won the last UPGRADE, when the baseline came by refreshes after it: a REFRESH must not
   * lose to it either.
   */
  readonly lastUpgrade?: VersionFacts | undefined;
  /** Frozen at the start, so that no bet or margin can follow the data. */
  readonly plan: ShadowPlan;
  /** Attempts ever made against this baseline, this one included: spends α. */
  readonly attempt: number;
  readonly policySha256: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/**
 * The reverse of an attempt: an old version challenges a younger one that serves, so that harm is found out.
 * After a promotion (`watch`) the version that was left challenges the live one for a while; during a step of a
 * canary (`canary`) the live one challenges the canary, on the requests that the canary answered. Spends none of
 * the α of challengers.
 */
export interface Watch extends Lanes {
  /** `<old>~<young>~<kind>-<epoch>`, and the policy's hash when it changed meanwhile. */
  readonly id: string;
  readonly kind: "watch" | "canary";
  /** Epoch of the promotion or of the canary's step: each is watched afresh. */
  readonly epoch: number;
  /** σ² of a user's difference as planned. */
  readonly variance: number;
  readonly policySha256: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export function isWatch(open: Attempt | Watch): open is Watch {
  return open.kind === "watch" || open.kind === "canary";
}

/** Who is asked the shadowed requests. In a watch the challenger is the old version, the baseline the younger one. */
export interface Lanes {
  readonly challenger: VersionFacts;
  readonly baseline: VersionFacts;
  /** Event time reached when it was opened, epoch milliseconds: what users did before proves nothing. */
  readonly openedAt: number;
}

/** A user whose attribution window has closed: one number, never revised. */
export interface JudgedUser {
  readonly userId: string;
  /** Epoch milliseconds of event time: of the first event that counts, and of the window's end. */
  readonly firstAt: number;
  readonly closedAt: number;
  /** nDCG@k, averaged over the user's requests in the window. */
  readonly challenger: number;
  readonly baseline: number;
  /** The last upgrade's, where the attempt names one and it answered. */
  readonly lastUpgrade?: number | undefined;
  /** Requests that were followed by something relevant, and those that were not. */
  readonly joined: number;
  readonly unanswered: number;
  /** Requests left out because the event after them is older than the comparison. */
  readonly early: number;
  /** Length of the history at the user's first request: the cohort. */
  readonly historyLength: number;
  /** Relevant events, and those of them that were chosen from one of our lists. */
  readonly events: number;
  readonly listDriven: number;
}

/** What a shadow run leaves behind, in Redis. */
export interface ShadowLog extends BatchLedger {
  /** Idempotent by id. */
  open(attempt: Attempt | Watch): Promise<void>;
  close(attemptId: string): Promise<void>;
  /** Of challengers; the watches over the live version and the canary are apart. */
  openAttempts(): Promise<readonly Attempt[]>;
  openWatches(): Promise<readonly Watch[]>;
  /** Whether an attempt or watch of this id was ever opened. */
  wasOpened(id: string): Promise<boolean>;
  /** Requests already recorded of each of these users. */
  requestsOf(attemptId: string, users: readonly string[]): Promise<readonly number[]>;
  /** Records each pair once; a request id that is known has no effect. */
  record(attemptId: string, pairs: readonly ShadowPair[]): Promise<void>;
  pairs(attemptId: string): Promise<readonly ShadowPair[]>;
  /** Sampled requests that never reached this attempt, as one batch told; a batch that is known has no effect. */
  shed(attemptId: string, batchId: string, requests: number): Promise<void>;
  shedCount(attemptId: string): Promise<number>;
  /** Appends users who are not in yet, in this order. */
  enter(attemptId: string, users: readonly JudgedUser[]): Promise<void>;
  /** In the order in which they entered. */
  users(attemptId: string): Promise<readonly JudgedUser[]>;
}
