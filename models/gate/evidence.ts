import type { Cohort } from "../evaluation/cohorts.ts";
import type { FaultCounts } from "../evaluation/list-faults.ts";
import type { Phase } from "../recipe.ts";
import type { Discovery } from "./alpha-spending.ts";
import type { FigurePlan } from "./capped-figure.ts";
import type { ChallengeKind } from "./margin.ts";
import type { Vouching } from "./vouching.ts";

export interface VersionFacts {
  readonly version: string;
  readonly phase: Phase;
  readonly recipe: string;
}

/** One user's paired difference, challenger − baseline, averaged over the user's requests. */
export interface UserDifference {
  /** Any stable name; records keep a number instead. */
  readonly user: string;
  readonly difference: number;
  /** The figure it is a difference from: what a capped figure is made of. */
  readonly baseline?: number | undefined;
}

/** Whether the difference can be used. Records keep what is not finite as null, which compares like 0 in JavaScript. */
export function isSound({ difference }: UserDifference): boolean {
  return Number.isFinite(difference) && difference >= -1 && difference <= 1;
}

export interface UserComparison extends UserDifference {
  /** The baseline's nDCG@10 for the same requests. */
  readonly baseline: number;
  readonly cohort: Cohort;
  /** An earlier version of the challenger's line gave the lists; absent where there was none. */
  readonly former?: true | undefined;
}

/** One user's vote in interleaved lists: (credits_c − credits_b) / (credits_c + credits_b). */
export interface InterleavedUser extends UserDifference {
  readonly cohort: Cohort;
}

/** What a model showed one user over all of that user's requests. */
export interface ShownToUser {
  /** Distinct items, as any numbering both models share. */
  readonly items: readonly number[];
  /** Mean self-information, bits. */
  readonly novelty: number;
  /** Mean intra-list diversity. */
  readonly diversity: number;
}

export interface Pair<T> {
  readonly challenger: T;
  readonly baseline: T;
}

/** What both showed one user. */
export interface ListsOfUser extends Pair<ShownToUser> {
  /** Diversity of what the user chose next; absent of a user who chose one thing, and in older records. */
  readonly chosenDiversity?: number | undefined;
}

/** Frozen when the shadow starts, so that no bet or margin can follow the data. */
export interface ShadowPlan {
  /** Mean nDCG@10 of the baseline. */
  readonly baselineMean: number;
  /** σ² of a user's difference, from the offline screen. */
  readonly variance: number;
  /** What the test looks at; absent in attempts that the first design planned. */
  readonly figure?: FigurePlan | undefined;
  /** Where α limits the share of false promotions: the place among all pairs ever, and the promotions before it. */
  readonly discovery?: Discovery | undefined;
  readonly cpuMsPerRequest: Pair<number>;
  /** Of a DOWN_RUNG: MB of arrays that each of the two keeps in memory. */
  readonly modelMb?: Pair<number> | undefined;
  /** Upper bound of the lift on the holdout; absent where it found none, and in older attempts. */
  readonly liftUpperBound?: number | undefined;
}

/** All that a verdict rests on. Null says "not measured"; then, and with anything not finite, the verdict is to hold. */
export interface ShadowEvidence {
  readonly kind: ChallengeKind;
  readonly challenger: VersionFacts;
  readonly baseline: VersionFacts;
  /** 1 for the first attempt ever against this baseline. */
  readonly attempt: number;
  /** Users that have entered a day of event time, for the outlook of a hold: no verdict uses it. Unknown at first. */
  readonly usersPerDay?: number | undefined;
  readonly plan: ShadowPlan | null;
  /** In the order in which their attribution windows closed; each user once. */
  readonly users: readonly UserComparison[];
  /** Where they came from; absent in older records. */
  readonly vouching?: Vouching | undefined;
  readonly requests: {
    readonly asked: number;
    readonly failures: number;
    readonly timeouts: number;
    /** Of the same requests, those that the baseline failed or answered too late; absent in older records. */
    readonly baselineFailed?: number | undefined;
  } | null;
  /** Faulty lists of the challenger. */
  readonly faults: FaultCounts | null;
  /** Requests asked twice, and how often the second answer differed. */
  readonly repeats: { readonly checked: number; readonly different: number } | null;
  readonly latencyMs: Pair<readonly number[]> | null;
  /** Lists of (at least the first `policy.shadow.listUsers`) users, both models. */
  readonly lists: readonly ListsOfUser[] | null;
  /** Items that could have been shown. */
  readonly catalogueItems: number;
  /** sampled = joined + unanswered + early + pending + shed + failed, counted in requests. */
  readonly sampling: {
    readonly sampled: number;
    /** Window closed with something relevant. */
    readonly joined: number;
    /** Window closed with nothing relevant. */
    readonly unanswered: number;
    /** Followed by an event older than the comparison itself, and left out. */
    readonly early: number;
    /** Window still open. */
    readonly pending: number;
    readonly shed: number;
    readonly failed: number;
  } | null;
  /** The baseline against itself: requests that it answered both times, and those with the very same list. */
  readonly sham: { readonly requests: number; readonly identical: number } | null;
  /** Requests asked of both, and those to which both gave the very same list. */
  readonly agreement: {
    readonly requests: number;
    readonly identical: number;
    /** Mean overlap@k and rank-biased overlap of the answered ones: for people to read; no verdict uses them. */
    readonly overlap?: number | undefined;
    readonly rankBiased?: number | undefined;
  } | null;
  /** Events joined, and those that answered one of our own lists. */
  readonly feedback: { readonly events: number; readonly listDriven: number } | null;
  readonly cost: {
    readonly memoryMb: number;
    readonly cpuMsPerRequest: number;
    readonly trainingSeconds: number;
  } | null;
  /** Epoch milliseconds: the challenger's last training event and the opening of the first window it is judged by. */
  readonly window: { readonly trainedThrough: number; readonly judgedFrom: number } | null;
  /** Stage C, users with credits in the order in which their windows closed; null when it never ran. */
  readonly interleaving: readonly InterleavedUser[] | null;
  /** Where the voters came from; absent in older records. */
  readonly votesVouching?: Vouching | undefined;
  /**
   * A REFRESH or a DOWN_RUNG must also not lose to the last UPGRADE, so that small losses cannot add up: differences
   * against it, or "is-baseline" when the baseline is that very version. Not looked at for an UPGRADE.
   */
  readonly lastUpgrade: readonly UserDifference[] | "is-baseline" | null;
}
