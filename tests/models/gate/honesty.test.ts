import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decide } from "../../../models/gate/decide.ts";
import { planTest } from "../../../models/gate/e-process.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { challengersInARow, promotedOverAnyBaseline } from "../../bench/prove-gate/all-pairs.ts";
import { brokenChallengers } from "../../bench/prove-gate/broken-challengers.ts";
import { NULLS, PLANNED_LIFT } from "../../bench/prove-gate/nulls.ts";
import { promotedByEitherRoute } from "../../bench/prove-gate/routes.ts";
import { PLANTED, samplingError } from "../../bench/prove-gate/sample.ts";
import {
  naiveRepeatedTTest,
  PLANNED,
  promotedShare,
  promotingFamilies,
  withUnit,
} from "../../bench/prove-gate/sequential.ts";

// Small enough for every test run; `npm run prove-gate` has the figures that count.
const test = planTest(PLANNED);
const size = { runs: 100, users: 800 };

describe("the gate is honest", () => {
  for (const [name, draw] of Object.entries(NULLS)) {
    it(`promotes hardly anybody without a lift: ${name}`, () => {
      assert.ok(promotedShare(draw, test, size, 1) <= 0.05);
    });
  }
  it("finds most of the lifts it was planned for", () => {
    const planned = planTest({ ...PLANNED, alpha: 0.025 });
    assert.ok(promotedShare(PLANNED_LIFT, planned, { runs: 40, users: 4800 }, 2) >= 0.7);
  });
  it("holds its level over a row of challengers", () => {
    const row = { families: 10, challengers: 20, users: 300 };
    assert.ok(promotingFamilies(NULLS["symmetric: −.3, 0, +.3"], row, 3) <= 0.1);
  });
  it("holds its level whenever the decision goes over from the shadow to interleaving", () => {
    const routes = { runs: 100, users: 800 };
    for (const turn of ["random", "late"] as const) {
      assert.ok(promotedByEitherRoute(turn, "split", routes, 5) <= 0.05, turn);
    }
  });
  it("holds its level with all pairs at once, however the baseline changes", () => {
    assert.ok(promotedOverAnyBaseline({ runs: 20, users: 100, models: 4 }, 6) <= 0.05);
  });
  it("keeps the share of false promotions low where that is what the policy asks", () => {
    const row = { rows: 10, challengers: 40, users: 100, lifted: 0.2 };
    const { falseShare, found } = challengersInARow("fdr", row, 7);
    assert.ok(falseShare <= 0.1 && found > 0, `${falseShare} and ${found}`);
  });
  it("judges a user by all requests, not by the first", () => {
    for (const planted of Object.values(PLANTED)) {
      assert.ok(Math.abs(samplingError(planted, "hash", 200, 8)) <= 3);
      assert.ok(Math.abs(samplingError(planted, "first", 200, 8)) > 3);
    }
  });
  it("would be caught peeking with a t-test, or betting on requests instead of users", () => {
    assert.ok(naiveRepeatedTTest(NULLS["symmetric: −.3, 0, +.3"], { runs: 100, users: 2000 }, 4) > 0.05);
    const units = { runs: 30, users: 300 };
    assert.ok(withUnit("request", test, units, 5) > 0.05);
    assert.ok(withUnit("user", test, units, 5) <= 0.05);
  });
  for (const { name, expected, evidence } of brokenChallengers(6)) {
    it(`refuses a lift of +0.10 with ${name} as ${expected}`, () => {
      const { verdict, reasons } = decide(evidence, DEFAULT_POLICY);
      assert.equal(verdict, "reject");
      assert.ok(reasons.includes(expected), `${reasons}`);
    });
  }
});
