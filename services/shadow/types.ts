import type { ListFault } from "../../models/evaluation/list-faults.ts";
import type { FigurePlan } from "../../models/gate/capped-figure.ts";
import type { ShadowPlan, VersionFacts } from "../../models/gate/evidence.ts";
import type { ChallengeKind } from "../../models/gate/margin.ts";
import type { Origin } from "../../models/gate/vouching.ts";
import type { BatchLedger } from "./batch-ledger.ts";
import type { FormerPairs } from "./former-pairs.ts";
import type { Panel } from "./panel.ts";

/** How one lane (a version asked in the shadow) answered one request. */
export type LaneFault = "error" | "timeout";

export interface LaneAnswer {
  /** Item ids, best first; empty when there was a fault. */
  readonly items: readonly string[];
  /** Without the time for which the thread waited for a processor, where the system says so. */
  readonly elapsedMs: number;
  readonly fault: LaneFault | null;
  /** Rules that the list breaks. */
  readonly broken: readonly ListFault[];
  /** Whether the same query, asked again at once, gave the same list; null when it was not asked again. */
  readonly repeated: boolean | null;
  /** What the lane's thread held after the answer; absent when the thread was ended. */
  readonly memoryMb?: number | undefined;
  /** The lane's description of the fault. */
  readonly message?: string | undefined;
}

/**
 * Challenger and baseline on the same request, from the same history, as earlier versions kept it. One of the two
 * serves; see `servingRole`.
 */
export interface ShadowPair {
  readonly requestId: string;
  readonly userId: string;
  /** Id of the key through which it was asked; absent of requests from before there were keys. */
  readonly source?: string | undefined;
  /** The user's history as of the request: entries with sequence ≤ this. */
  readonly historyThrough: number;
  readonly k: number;
  readonly challenger: LaneAnswer;
  readonly baseline: LaneAnswer;
  /** Present when the attempt names a last upgrade. */
  readonly lastUpgrade?: LaneAnswer | undefined;
  /** Whether the serving version, asked in a second lane, gave the same list; null when one of them did not answer. */
  readonly shamIdentical: boolean | null;
}

/** One run of a challenger against one baseline. A new baseline means a new attempt, with fresh users. */
export interface Attempt extends ComparedVersions {
  /** `<challenger>~<baseline>~<number>`. */
  readonly id: string;
  readonly kind: ChallengeKind;
  /** The version that won the last UPGRADE, if the baseline only had not to lose to it: a REFRESH or a DOWN_RUNG must not lose to it either. */
  readonly lastUpgrade?: VersionFacts | undefined;
  /** Earlier versions of the challenger's line, which this one went on from; see `jobs/judging/lines.ts`. */
  readonly former?: readonly string[] | undefined;
  /**
   * Where it did: event time reached then, before which nothing proves anything of this version, and what had been
   * counted until then.
   */
  readonly current?: CurrentVersion | undefined;
  /** Frozen at the start, so that no bet or margin can follow the data. */
  readonly plan: ShadowPlan;
  /** How many attempts were ever made at this baseline, this one included: each spends α. */
  readonly attempt: number;
  readonly policySha256: string;
  /** Hash of the numbers that the test rests on; absent in what earlier versions opened. */
  readonly testSha256?: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface CurrentVersion {
  readonly since: number;
  readonly before: Readonly<Record<string, number>>;
}

/**
 * The reverse of an attempt: the challenger serves already, and the older version answers beside it in the shadow, so
 * that harm is found out. After a promotion (`watch`) the challenger is the live version and the baseline the one
 * before it; during a step of a canary (`canary`) the challenger is the canary and the baseline the live version, on the
 * requests that the canary answered. Spends none of the α of challengers.
 */
export interface Watch extends ComparedVersions {
  /** `<baseline>~<challenger>~<kind>-<epoch>`, and the policy's hash when it changed meanwhile. */
  readonly id: string;
  readonly kind: "watch" | "canary";
  /** Epoch of the promotion or of the canary's step: each is watched afresh. */
  readonly epoch: number;
  /** σ² of a user's difference as planned. */
  readonly variance: number;
  /** What the test looks at; absent in watches that the first design planned. */
  readonly figure?: FigurePlan | undefined;
  /** Upper bound of the baseline's mean nDCG on the holdout, where it was measured. */
  readonly olderUpperBound?: number | undefined;
  /** Loss that was agreed to when a cheaper version of a lower rung took over. */
  readonly toleratedLoss?: number | undefined;
  readonly policySha256: string;
  /** Hash of the numbers that the test rests on; absent in what earlier versions opened. */
  readonly testSha256?: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
}

export type Comparison = Attempt | Watch;

export function isWatch(comparison: Pick<Comparison, "kind">): comparison is Watch {
  return comparison.kind === "watch" || comparison.kind === "canary";
}

export type Role = "challenger" | "baseline";

/** Which of the two serves the users whose requests are asked again; the other one answers in the shadow only. */
export function servingRole(comparison: Pick<Comparison, "kind">): Role {
  return isWatch(comparison) ? "challenger" : "baseline";
}

export interface ComparedVersions {
  /** The newer version, whether it serves yet or not. */
  readonly challenger: VersionFacts;
  /** The older version, which it is compared with. */
  readonly baseline: VersionFacts;
  /** Event time reached when it was opened, epoch milliseconds: what users did before does not count. */
  readonly openedAt: number;
}

/** A user whose attribution window has closed: one number, never revised. */
export interface JudgedUser {
  readonly userId: string;
  /** The challenger's version that answered; absent of users whom an earlier release entered. */
  readonly by?: string | undefined;
  /** Absent of users whom an earlier version entered. */
  readonly origin?: Origin | undefined;
  /** Epoch milliseconds of event time: of the first event that counts, and of the window's end. */
  readonly firstAt: number;
  readonly closedAt: number;
  /** nDCG@k, averaged over the user's requests in the window. */
  readonly challenger: number;
  readonly baseline: number;
  /** The last upgrade's, where the attempt names one and it answered. */
  readonly lastUpgrade?: number | undefined;
  /** Sampled requests that were followed by something relevant, and the others. */
  readonly joined: number;
  readonly unanswered: number;
  /** Requests left out because the event after them is older than the comparison. */
  readonly early: number;
  /** Length of the history at the user's first request: the cohort. */
  readonly historyLength: number;
  /** Mean diversity of what the user chose next; absent of one who never chose two things. */
  readonly chosenDiversity?: number | undefined;
  /** Relevant events, and those of them that were chosen from one of our lists. */
  readonly events: number;
  readonly listDriven: number;
}

/** What both models showed a judged user over the requests of the sample. */
export interface ShownLists extends Readonly<Record<Role, ShownByOne>> {
  readonly userId: string;
}

export interface ShownByOne {
  /** Distinct items. */
  readonly items: readonly string[];
  /** Mean self-information, bits. */
  readonly novelty: number;
  readonly diversity: number;
}

/** Names a comparison in the log. Its kind tells how it is stored; see `wire.ts`. */
export type ComparisonRef = Pick<Comparison, "id" | "kind">;

/** What the shadow leaves behind, in Redis. */
export interface ShadowLog extends BatchLedger {
  /** Requests of users whose windows are open. */
  readonly panel: Panel;
  /** Pairs that earlier releases kept. */
  readonly former: FormerPairs;
  /** Idempotent by id. */
  open(comparison: Comparison): Promise<void>;
  close(id: string): Promise<void>;
  /** Of challengers; the watches over the live version and the canary are apart. */
  openAttempts(): Promise<readonly Attempt[]>;
  openWatches(): Promise<readonly Watch[]>;
  /** Whether an attempt or watch of this id was ever opened. */
  wasOpened(id: string): Promise<boolean>;
  /** Sampled requests that never reached this comparison, as one batch reports; a batch that is known has no effect. */
  shed(id: string, batchId: string, requests: number): Promise<void>;
  shedCount(id: string): Promise<number>;
  /** Another version of the challenger's line goes on: what was measured of the one before is forgotten. */
  restart(id: string): Promise<void>;
  /** What was counted of its requests, by name; see `jobs/shadow/parts.ts`. */
  counts(id: string): Promise<Readonly<Record<string, number>>>;
  /** The latest, oldest first, milliseconds; null for a lane that failed. */
  latencies(id: string): Promise<readonly { readonly [role in Role]: number | null }[]>;
  /** Of each of these users, whether there is a row. */
  hasEntered(id: string, users: readonly string[]): Promise<readonly boolean[]>;
  /** In the order in which they entered. Rows are read once a process: a call costs what has come since the last. */
  users(comparison: ComparisonRef): Promise<readonly JudgedUser[]>;
  /** What the first of them were shown. */
  shown(comparison: ComparisonRef): Promise<readonly ShownLists[]>;
}
