import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { kindOf } from "../../../jobs/judging/screen.ts";
import { decide } from "../../../models/gate/decide.ts";
import { decisionOf, recomputeDecision } from "../../../models/gate/decision.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../../models/gate/policy.ts";
import { rule } from "../../../models/gate/ruling.ts";
import { judgeWatch } from "../../../models/gate/watch.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";

const POLICY = parsePolicy({ promotion: { downRung: true } });

/** item-knn, proven to be as good as als or not, at a tenth of the price. */
function stepDown(lift: number, standardDeviation: number, users = 900): ShadowEvidence {
  const evidence = healthyEvidence({ users, lift, standardDeviation });
  return {
    ...evidence,
    kind: "DOWN_RUNG",
    challenger: { version: "item-knn-aaaaaaaaaaaa", phase: 2, recipe: "item-knn" },
    baseline: { version: "als-bbbbbbbbbbbb", phase: 3, recipe: "als" },
    plan: {
      baselineMean: 0.2,
      variance: standardDeviation ** 2,
      cpuMsPerRequest: { challenger: 0.4, baseline: 4 },
      modelMb: { challenger: 2, baseline: 14.5 },
      figure: { test: "capped", cap: 0.3, lift, variance: standardDeviation ** 2 },
    },
    lastUpgrade: "is-baseline",
  };
}

describe("a cheaper version of a lower rung", () => {
  it("is a step down only where the policy asks for it, it stands lower, and a request costs less CPU", () => {
    const [knn, als] = [
      { recipe: "item-knn", phase: 2 },
      { recipe: "als", phase: 3 },
    ] as const;
    const cheaper = { challenger: 0.4, baseline: 4 };
    assert.equal(kindOf(knn, als, cheaper, POLICY), "DOWN_RUNG");
    assert.equal(kindOf(knn, als, cheaper, DEFAULT_POLICY), "UPGRADE");
    assert.equal(kindOf(knn, als, { challenger: 4, baseline: 4 }, POLICY), "UPGRADE");
    assert.equal(kindOf(als, knn, cheaper, POLICY), "UPGRADE");
    assert.equal(kindOf(knn, { recipe: "item-knn", phase: 2 }, cheaper, POLICY), "REFRESH");
  });

  it("passes when it is proven not to lose, and says what it frees; the record gives the same again", () => {
    const ruled = rule("shadow", stepDown(0, 0.004), POLICY);
    assert.deepEqual([ruled.ruling.verdict, ruled.ruling.reasons], ["pass", ["NOT_WORSE_PROVEN"]]);
    assert.equal(ruled.ruling.test?.margin, -0.01 * 0.2);
    assert.match(
      ruled.sentence,
      /not below the tolerated loss of −0\.002; .*it frees 3\.60 ms of the 4\.00 ms CPU of a request and 12\.5 MB of memory\.$/,
    );
    const record = decisionOf(ruled, { actor: "gate", at: "2026-01-01", previousSha256: "" });
    const again = recomputeDecision(record);
    assert.deepEqual([again.sameE, again.sameAlpha, again.sameVerdict], [true, true, true]);
  });

  it("holds where few users could hide a loss, and is rejected when the loss is proven", () => {
    assert.equal(decide(stepDown(0, 0.03, 100), POLICY).verdict, "hold");
    const lost = decide(stepDown(-0.05, 0.05), POLICY);
    assert.equal(lost.verdict, "reject");
    assert.ok(lost.reasons.includes("PROVEN_LOSS"), lost.reasons.join());
  });

  it("must not lose to what it steps down from by way of others either", () => {
    const evidence = stepDown(0, 0.004);
    const worse = evidence.users.map(({ user, difference, baseline }) => ({
      user,
      difference: difference - 0.02,
      baseline,
    }));
    const held = decide({ ...evidence, lastUpgrade: worse }, POLICY);
    assert.deepEqual(held.reasons, ["LAST_UPGRADE_UNPROVEN"]);
  });

  it("is watched for a loss beyond the one that was agreed to, and not for that one", () => {
    const { users: compared, challenger: live, baseline: previous } = stepDown(-0.004, 0.004, 600);
    const users = compared.map(({ user, difference, baseline }) => ({
      user,
      difference: -difference,
      baseline: baseline + difference,
    }));
    const figure = { test: "capped", cap: 0.3, variance: 0.00002 } as const;
    const watch = { live, previous, users, variance: 0.00002, figure };
    assert.equal(judgeWatch(watch, POLICY).verdict, "reject");
    assert.equal(judgeWatch({ ...watch, toleratedLoss: 0.006 }, POLICY).verdict, "hold");
  });
});
