import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CanaryEvidence, judgeCanary, nextCanaryShare } from "../../../models/gate/canary.ts";
import { explainCanary } from "../../../models/gate/explain.ts";
import { parsePolicy } from "../../../models/gate/policy.ts";

const policy = parsePolicy({ promotion: { canaryShares: [0.05, 0.25, 0.5], canaryUsers: 40 } });
const evidence = (differences: readonly number[]): CanaryEvidence => ({
  canary: { version: "new", phase: 2, recipe: "item-knn" },
  live: { version: "old", phase: 1, recipe: "popularity" },
  share: 0.05,
  epoch: 3,
  users: differences.map((difference, index) => ({ user: `u${index}`, difference })),
  variance: 0.05,
});
const same = (users: number, difference: number): number[] => new Array<number>(users).fill(difference);

describe("a step of a canary", () => {
  it("holds until it has seen its users, then passes", () => {
    const early = judgeCanary(evidence(same(39, 0)), policy);
    assert.deepEqual([early.verdict, early.reasons], ["hold", ["CANARY_WATCHING"]]);
    const enough = judgeCanary(evidence(same(40, 0)), policy);
    assert.deepEqual([enough.verdict, enough.reasons], ["pass", ["CANARY_STEP_PASSED"]]);
  });

  it("rejects as soon as the loss is proven, with a third of α in each of three steps", () => {
    const ruling = judgeCanary(evidence(same(30, 0.4)), policy);
    assert.deepEqual([ruling.verdict, ruling.reasons], ["reject", ["PROVEN_WORSE_THAN_LIVE"]]);
    assert.ok(Math.abs((ruling.test?.alpha ?? 0) - policy.alpha / 3) < 1e-12);
    assert.match(
      explainCanary(ruling, { share: 0.05 }),
      /^Canary at 5 % of the users, proven worse: after 30 users the live version leads by \+0\.400/,
    );
  });

  it("does not count a lead of the canary against it, nor judge evidence that cannot be used", () => {
    assert.equal(judgeCanary(evidence(same(40, -0.4)), policy).verdict, "pass");
    assert.equal(judgeCanary(evidence([Number.NaN]), policy).verdict, "hold");
    const twice = evidence([0.1, 0.1]);
    const users = twice.users.map((row) => ({ ...row, user: "the same" }));
    assert.deepEqual(judgeCanary({ ...twice, users }, policy).reasons, ["USER_COUNTED_TWICE"]);
  });

  it("leads to the next larger share, also from one set by hand, and from the last to everybody", () => {
    const steps = [0, 0.05, 0.1, 0.3, 0.5, 0.9].map((share) => nextCanaryShare(share, policy));
    assert.deepEqual(steps, [0.05, 0.25, 0.25, 0.5, null, null]);
    assert.equal(nextCanaryShare(0, parsePolicy({})), null);
  });

  it("needs shares that grow", () => {
    assert.throws(
      () => parsePolicy({ promotion: { canaryShares: [0.25, 0.05] } }),
      /promotion\.canaryShares: expected each share larger than the one before, got \[0\.25,0\.05\]/,
    );
  });
});
