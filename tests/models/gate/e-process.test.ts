import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import {
  betsOn,
  isProven,
  logE,
  lowerBound,
  mirrored,
  nextEProcess,
  planTest,
  runEProcess,
  startEProcess,
  WEIGHTS,
} from "../../../models/gate/e-process.ts";
import { firstPassage, usersForPower, usersStillNeeded } from "../../../models/gate/power.ts";

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);

const TEN = [0.1, -0.05, 0, 0.3, -0.2, 0.25, 0.02, 0, 0.5, -0.1];
const FOUR_HUNDRED = Array.from({ length: 400 }, (_, index) => TEN[index % 10]);
const plan = { margin: 0.004, range: 0.6, excess: 0.02, variance: 0.04, alpha: 0.025 };

// E itself, its bound and the planned lengths are held against SciPy in references.test.ts.
describe("e-process", () => {
  const test = planTest(plan);

  it("stakes its whole unit, the largest part on what was foretold and on what was learned", () => {
    close(
      WEIGHTS.reduce((sum, weight) => sum + weight, 0),
      1,
      1e-12,
    );
    const [planned, kelly, half, ...grid] = betsOn(startEProcess(), test);
    close(planned, 0.02 / (0.04 + 0.02 ** 2), 1e-12);
    close(kelly, planned, 1e-12);
    close(half, planned / 2, 1e-12);
    close(grid[0], 0.98 / 0.604, 1e-12);
    assert.deepEqual(
      grid.slice(1),
      grid.slice(0, -1).map((bet) => bet / 2),
    );
  });

  it("bets on a user before it knows what that user did", () => {
    const before = runEProcess(TEN, test);
    const stakes = betsOn(before, test);
    for (const difference of [-0.5, 0.5]) {
      const after = nextEProcess(before, test, difference);
      for (const [bet, wealth] of after.logWealth.entries()) {
        close(wealth, before.logWealth[bet] + Math.log1p(stakes[bet] * (difference - plan.margin)), 1e-12);
      }
    }
  });

  it("learns to bet more on a lift, and nothing on a loss", () => {
    const kellyAfter = (difference: number) =>
      betsOn(runEProcess(new Array<number>(100).fill(difference), test), test)[1];
    assert.ok(kellyAfter(0.05) > betsOn(startEProcess(), test)[1]);
    assert.equal(kellyAfter(-0.05), 0);
  });

  it("says its range's end while nothing is excluded", () => {
    assert.equal(lowerBound([], test), -0.6);
    assert.equal(lowerBound([-0.6, -0.6, -0.6], test), -0.6);
  });

  it("is proven exactly when the lower bound is beyond the margin", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 60; round++) {
      const differences = Array.from({ length: 150 }, () => 0.03 + 0.2 * (random.next() - 0.5) * 2);
      const proven = isProven(runEProcess(differences, test), test);
      assert.equal(proven, lowerBound(differences, test) >= test.margin - 1e-9);
    }
  });

  it("never goes broke on the worst differences, at any margin and range", () => {
    for (const range of [0.05, 0.3, 1]) {
      for (const share of [-0.9, 0, 0.5, 0.9]) {
        const bold = planTest({ margin: share * range, range, excess: range, variance: 0, alpha: 0.05 });
        const worst = runEProcess(new Array<number>(50).fill(-range), bold);
        assert.ok(worst.logWealth.every(Number.isFinite));
      }
    }
  });

  it("seen in the mirror bets on the loss", () => {
    const losses = FOUR_HUNDRED.map((difference) => difference - 0.2);
    const reverse = mirrored(test, 0.05, 0.02);
    assert.ok(!isProven(runEProcess(losses, test), test));
    assert.ok(
      isProven(
        runEProcess(
          losses.map((difference) => -difference),
          reverse,
        ),
        reverse,
      ),
    );
  });

  it("refuses what is no difference, and a plan that plans nothing", () => {
    for (const bad of [Number.NaN, 0.61, -0.61, Number.POSITIVE_INFINITY]) {
      assert.throws(() => runEProcess([bad], test), /expected a difference in −0.6…0.6/);
    }
    for (const bad of [
      { margin: 0.6 },
      { range: 0 },
      { excess: 0 },
      { alpha: 1 },
      { variance: Number.NaN },
    ]) {
      assert.throws(() => planTest({ ...plan, ...bad }), /sequential test: expected −range < margin < range/);
    }
  });
});

describe("planned length", () => {
  it("has the first-passage probability of the inverse Gaussian", () => {
    // stats.invgauss.cdf(n, mu/lam, scale=lam), mu = C/g, lam = C**2/v**2; g=.00133, v=.0516, C=4.382
    close(firstPassage(2000, 0.00133, 0.0516, 4.382), 0.3184234339370716);
    close(firstPassage(4800, 0.00133, 0.0516, 4.382), 0.8158042083239417);
  });

  it("needs more users for less lift, and cannot be planned for none", () => {
    const test = planTest({ margin: 0, range: 0.3, excess: 0.01, variance: 0.0056, alpha: 0.025 });
    const users = [0.03, 0.02, 0.01].map((lift) => usersForPower(test, lift, 0.0056, 0.8) ?? 0);
    assert.ok(users[0] < users[1] && users[1] < users[2]);
    assert.equal(usersForPower(test, 0, 0.0056, 0.8), null);
  });

  it("counts down as evidence comes in", () => {
    const test = planTest({ margin: 0, range: 1, excess: 0.02, variance: 0.05, alpha: 0.025 });
    const left = [0, 30, 60].map((users) =>
      usersStillNeeded(runEProcess(FOUR_HUNDRED.slice(0, users), test), test, 0.072, 0.04),
    );
    assert.ok(Number(left[0]) > Number(left[1]) && Number(left[1]) > Number(left[2]), `${left}`);
  });

  it("ends in E ≥ 1/α", () => {
    const state = runEProcess(FOUR_HUNDRED, planTest(plan));
    assert.ok(logE(state) > -Math.log(plan.alpha));
    assert.equal(usersStillNeeded(state, planTest(plan), 0.082, 0.04), 0);
  });
});
