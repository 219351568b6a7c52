import { canBeCapped, type FigurePlan, isSoundFigure } from "./capped-figure.ts";
import { isSound, type UserDifference, type VersionFacts } from "./evidence.ts";
import type { Policy } from "./policy.ts";
import type { ReasonCode, Verdict } from "./reasons.ts";
import { runTest, type TestResult } from "./test-result.ts";
import type { Vouching } from "./vouching.ts";

/** After a promotion the previous version goes on answering, in the shadow, beside the one that is live now. */
export interface WatchEvidence {
  readonly live: VersionFacts;
  readonly previous: VersionFacts;
  /** previous − live nDCG@10, one a user, in order of arrival. */
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
  /** Loss that was agreed to when a cheaper version of a lower rung took over; none where it is absent. */
  readonly toleratedLoss?: number | undefined;
}

export interface WatchRuling {
  /** reject: the loss is proven, roll back; pass: the watch is over; hold: go on watching. */
  readonly verdict: Verdict;
  readonly reasons: readonly ReasonCode[];
  readonly test: TestResult | null;
}

/** H0: the previous version is no better, or by no more than was agreed to. */
export function judgeWatch(evidence: WatchEvidence, policy: Policy): WatchRuling {
  return testForLoss(evidence, {
    mde: policy.mde,
    alpha: policy.alpha,
    enoughUsers: policy.rollback.watchUsers,
    toleratedLoss: evidence.toleratedLoss,
    reasons: { reject: "PROVEN_WORSE_THAN_PREVIOUS", pass: "WATCH_PASSED", hold: "WATCHING" },
  });
}

export interface LossTestTerms {
  readonly mde: number;
  readonly alpha: number;
  /** After this many users without a proven loss the test has passed. */
  readonly enoughUsers: number;
  readonly toleratedLoss?: number | undefined;
  readonly reasons: Readonly<Record<Verdict, ReasonCode>>;
}

/** The sequential test of a loss: a user's `difference` is older − newer, and what is to be proven is a mean above what is tolerated. */
export function testForLoss(
  { users, variance, figure }: Pick<WatchEvidence, "users" | "variance" | "figure">,
  { mde, alpha, enoughUsers, toleratedLoss = 0, reasons }: LossTestTerms,
): WatchRuling {
  const finite = users.every(isSound) && users.every((user) => canBeCapped(user, figure?.cap ?? 1));
  const planned = figure === undefined || isSoundFigure(figure);
  if (!finite || !planned || !Number.isFinite(variance) || !(toleratedLoss >= 0 && toleratedLoss < 1))
    return { verdict: "hold", reasons: ["EVIDENCE_NOT_FINITE"], test: null };
  if (new Set(users.map(({ user }) => user)).size !== users.length) {
    return { verdict: "hold", reasons: ["USER_COUNTED_TWICE"], test: null };
  }
  const test = runTest(users, { margin: toleratedLoss, mde, variance, alpha, figure });
  const verdict = test.proven ? "reject" : users.length >= enoughUsers ? "pass" : "hold";
  return { verdict, reasons: [reasons[verdict]], test };
}
