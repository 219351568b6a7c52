import type { UserId } from "../data/ids.ts";
import type { UserEvaluation } from "./evaluate.ts";

/** challenger − baseline nDCG of one user, in [−1, 1], and the baseline's own. */
export interface PairedDifference {
  readonly user: UserId;
  readonly difference: number;
  readonly baseline: number;
}

/** What is compared of an evaluation. */
interface Judged {
  readonly perUser: readonly Pick<UserEvaluation, "user" | "ndcg" | "requests">[];
}

/**
 * One difference a user, in the baseline's order.
 * @throws RangeError when the two were not evaluated on the same users and requests
 */
export function pairedDifferences(challenger: Judged, baseline: Judged): PairedDifference[] {
  const byUser = new Map(challenger.perUser.map((row) => [row.user, row]));
  if (byUser.size !== baseline.perUser.length) {
    throw new RangeError(
      `paired differences: expected the same users, got ${byUser.size} and ${baseline.perUser.length}; evaluate both on one request set`,
    );
  }
  return baseline.perUser.map((theirs) => {
    const ours = byUser.get(theirs.user);
    if (ours === undefined || ours.requests !== theirs.requests) {
      throw new RangeError(
        `paired differences: expected ${theirs.requests} requests of user ${theirs.user} on both sides, got ${ours?.requests ?? 0}; evaluate both on one request set`,
      );
    }
    return { user: theirs.user, difference: ours.ndcg - theirs.ndcg, baseline: theirs.ndcg };
  });
}
