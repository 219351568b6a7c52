import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  canBeCapped,
  cappedDifference,
  isSoundFigure,
  planFigure,
  planFigureBeside,
  UNCAPPED,
} from "../../../models/gate/capped-figure.ts";
import { rangeOf } from "../../../models/gate/test-plan.ts";
import { runTest } from "../../../models/gate/test-result.ts";

const figure = { test: "capped", cap: 0.4, lift: 0.02, variance: 0.01 } as const;
const plan = { margin: 0.004, mde: 0.01, variance: 0.02, alpha: 0.025, figure };

describe("the capped figure", () => {
  it("is the smaller of a user's nDCG and the cap, on both sides of the difference", () => {
    const difference = (challenger: number, baseline: number) =>
      cappedDifference({ user: "u", difference: challenger - baseline, baseline }, 0.4);
    assert.equal(difference(0.3, 0.1).toFixed(12), "0.200000000000");
    assert.equal(difference(0.9, 0.1).toFixed(12), "0.300000000000");
    assert.equal(difference(0.1, 0.9).toFixed(12), "-0.300000000000");
    assert.equal(difference(0.8, 0.9), 0);
  });

  it("leaves a vote as it is, which has no figures of its own", () => {
    assert.equal(cappedDifference({ user: "u", difference: -1 }, UNCAPPED.cap), -1);
    assert.equal(canBeCapped({ user: "u", difference: -1 }, 1), true);
    assert.equal(canBeCapped({ user: "u", difference: -1 }, 0.4), false);
    assert.equal(canBeCapped({ user: "u", difference: 0.1, baseline: Number.NaN }, 0.4), false);
  });

  it("caps at .05 or more, and not at all where nothing is known", () => {
    const nobody = Array.from({ length: 40 }, () => ({ challenger: 0.01, baseline: 0.01 }));
    assert.equal(planFigure(nobody).cap, 0.05);
    assert.deepEqual(planFigure([]), UNCAPPED);
  });

  it("leaves room for a margin that a policy sets beyond the cap", () => {
    assert.equal(rangeOf(plan), 0.4);
    assert.equal(rangeOf({ ...plan, margin: 0.3 }), 0.6);
    assert.equal(rangeOf({ ...plan, margin: -0.7 }), 1);
  });

  it("plans nothing when a record has lost one of its numbers", () => {
    assert.ok(isSoundFigure(figure) && isSoundFigure(UNCAPPED));
    for (const name of ["cap", "lift", "variance"] as const) {
      for (const nothing of [null, Number.NaN]) {
        const holed = { ...figure, [name]: nothing as unknown as number };
        assert.equal(isSoundFigure(holed), false, `${name} ${nothing}`);
      }
    }
  });
});

describe("a test on capped figures", () => {
  const rows = Array.from({ length: 300 }, (_, user) => ({
    user: `u${user}`,
    difference: user % 10 === 0 ? -0.9 : 0.05,
    baseline: user % 10 === 0 ? 0.9 : 0.1,
  }));

  it("reports the lift itself beside the capped one", () => {
    const { lift, capped } = runTest(rows, plan);
    assert.equal(lift.toFixed(9), "-0.045000000");
    assert.equal(capped?.lift.toFixed(9), "0.005000000");
  });

  it("is not proven by the cap alone: the lift itself must be beyond the margin too", () => {
    const catastrophic = rows.map((row) => ({
      ...row,
      difference: row.baseline === 0.9 ? -0.9 : 0.2,
    }));
    const result = runTest(catastrophic, { ...plan, margin: 0.1 });
    assert.ok(result.logE >= -Math.log(plan.alpha), `${result.logE}`);
    assert.ok(result.lift < 0.1 && !result.proven);
  });

  it("settles the same users sooner than the test of the first design", () => {
    const lifted = Array.from({ length: 200 }, (_, user) => ({
      user: `u${user}`,
      difference: 0.03 + (user % 2 === 0 ? 0.07 : -0.07),
      baseline: 0.15,
    }));
    const untilProven = (planned: Parameters<typeof runTest>[1]) =>
      lifted.findIndex((_, last) => runTest(lifted.slice(0, last + 1), planned).proven);
    const capped = untilProven({ ...plan, variance: 0.005, figure: { ...figure, variance: 0.005 } });
    const first = untilProven({ ...plan, variance: 0.005, figure: undefined });
    assert.ok(capped > 0 && (first < 0 || capped < first), `${capped} and ${first}`);
  });
});

describe("the figure of a challenger that was not judged offline", () => {
  it("is capped where hardly any of the baseline's is, and foretells no lift", () => {
    const figures = Array.from({ length: 200 }, (_, user) => (user % 2 === 0 ? 0.1 : 0.2));
    const planned = planFigureBeside([...figures, 0.9]);
    assert.equal(planned.cap, 0.2);
    assert.equal(planned.lift, undefined);
    assert.ok(Math.abs(planned.variance - 0.005) < 1e-4, `${planned.variance}`);
    assert.ok(isSoundFigure(planned));
    assert.deepEqual(planFigureBeside([0.1]), UNCAPPED);
  });
});
