import type { FigurePlan } from "./capped-figure.ts";
import type { UserDifference, VersionFacts } from "./evidence.ts";
import type { Policy } from "./policy.ts";
import type { Vouching } from "./vouching.ts";
import { testForLoss, type WatchRuling } from "./watch.ts";

/**
 * One step of a canary. The live version answers, in the shadow, the requests that the canary served. Each step starts
 * with no users. Users choose from the canary's lists, which favours the canary: a loss proven in spite of that is one.
 */
export interface CanaryEvidence {
  readonly canary: VersionFacts;
  readonly live: VersionFacts;
  /** Share of the users on the canary in this step. */
  readonly share: number;
  /** Epoch of the live pointer at which the step began. */
  readonly epoch: number;
  /** live − canary nDCG@10, one a user, in order of arrival. */
  readonly users: readonly UserDifference[];
  /** σ² of a user's difference as planned. */
  readonly variance: number;
  /** What the test looks at; absent in what the first design planned. */
  readonly figure?: FigurePlan | undefined;
  /** Where the users came from; absent in older records. */
  readonly vouching?: Vouching | undefined;
  /**
   * Upper bound of the older version's mean nDCG on the holdout; absent where it was not measured, and in older records.
   */
  readonly olderUpperBound?: number | undefined;
}

/** reject: the loss is proven, end the canary; pass: ready for the next share; hold: go on. */
export type CanaryRuling = WatchRuling;

/** The watch's test over the users of one step. α is split evenly over the steps, so that all of them spend α. */
export function judgeCanary(evidence: CanaryEvidence, { mde, alpha, promotion }: Policy): CanaryRuling {
  return testForLoss(evidence, {
    mde,
    alpha: alpha / Math.max(1, promotion.canaryShares.length),
    enoughUsers: promotion.canaryUsers,
    reasons: { reject: "PROVEN_WORSE_THAN_LIVE", pass: "CANARY_STEP_PASSED", hold: "CANARY_WATCHING" },
  });
}

/** The step after `share`; null when all users come next. */
export function nextCanaryShare(share: number, { promotion }: Policy): number | null {
  return promotion.canaryShares.find((step) => step > share) ?? null;
}
