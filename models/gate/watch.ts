import { isSound, type UserDifference, type VersionFacts } from "./evidence.ts";
import type { Policy } from "./policy.ts";
import type { ReasonCode, Verdict } from "./reasons.ts";
import { runTest, type TestResult } from "./test-result.ts";

/** Reverse shadow: after a promotion the old baseline keeps scoring beside the new live version. */
export interface WatchEvidence {
  readonly live: VersionFacts;
  readonly previous: VersionFacts;
  /** previous − live nDCG@10, one a user, in order of arrival. */
  readonly users: readonly UserDifference[];
  /** σ² of a user's difference as planned. */
  readonly variance: number;
}

export interface WatchRuling {
  /** reject: the loss is proven, roll back; pass: the watch is over; hold: go on watching. */
  readonly verdict: Verdict;
  readonly reasons: readonly ReasonCode[];
  readonly test: TestResult | null;
}

/** H0 says the previous version is no better. */
export function watchLive(evidence: WatchEvidence, policy: Policy): WatchRuling {
  return ruleInReverse(evidence, {
    mde: policy.mde,
    alpha: policy.alpha,
    enoughUsers: policy.rollback.watchUsers,
    reasons: { reject: "PROVEN_WORSE_THAN_PREVIOUS", pass: "WATCH_PASSED", hold: "WATCHING" },
  });
}

export interface ReverseTerms {
  readonly mde: number;
  readonly alpha: number;
  /** So many users without a proven loss are enough. */
  readonly enoughUsers: number;
  readonly reasons: Readonly<Record<Verdict, ReasonCode>>;
}

/** The sequential test with the roles swapped: `difference` is old − new, and what it may prove is a loss. */
export function ruleInReverse(
  { users, variance }: Pick<WatchEvidence, "users" | "variance">,
  { mde, alpha, enoughUsers, reasons }: ReverseTerms,
): WatchRuling {
  const finite = users.every(isSound);
  if (!finite || !Number.isFinite(variance))
    return { verdict: "hold", reasons: ["EVIDENCE_NOT_FINITE"], test: null };
  if (new Set(users.map(({ user }) => user)).size !== users.length) {
    return { verdict: "hold", reasons: ["USER_COUNTED_TWICE"], test: null };
  }
  const test = runTest(users, { margin: 0, mde, variance, alpha });
  const verdict = test.proven ? "reject" : users.length >= enoughUsers ? "pass" : "hold";
  return { verdict, reasons: [reasons[verdict]], test };
}
