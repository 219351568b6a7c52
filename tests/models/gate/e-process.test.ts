import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import {
  alphaOfAttempt,
  isProven,
  logE,
  lowerBound,
  nextEProcess,
  planTest,
  runEProcess,
  startEProcess,
} from "../../../models/gate/e-process.ts";
import { firstPassage, plannedUsers, usersForPower, usersStillNeeded } from "../../../models/gate/power.ts";

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);

const TEN = [0.1, -0.05, 0, 0.3, -0.2, 0.25, 0.02, 0, 0.5, -0.1];
const FOUR_HUNDRED = Array.from({ length: 400 }, (_, index) => TEN[index % 10]);
const plan = { margin: 0.004, mde: 0.02, variance: 0.15, alpha: 0.025 };

describe("e-process", () => {
  const test = planTest(plan);

  it("agrees with SciPy to 1e-9", () => {
    // lams = [min(.95, (.02-.004)/.15), .0125, .025, .05, .1, .2, .4, .8]; w = [.5] + [.5/7]*7
    // special.logsumexp([np.log(wj) + np.log1p(l*(np.array(d)-.004)).sum() for l, wj in zip(lams, w)])
    close(logE(runEProcess(TEN, test), test), 0.12467617088333749);
    close(logE(runEProcess(FOUR_HUNDRED, test), test), 17.259811217900566);
  });

  it("gives a lower bound that agrees with a root found by SciPy", () => {
    // optimize.brentq(lambda m: logE(d400, m, [min(l, 1/(1+m)) for l in lams]) - np.log(40), -.9, .9, xtol=1e-15)
    close(lowerBound(FOUR_HUNDRED, test), 0.0480617903756088);
  });

  it("says −1 while nothing is excluded", () => {
    assert.equal(lowerBound([], test), -1);
    assert.equal(lowerBound([-1, -1, -1], test), -1);
  });

  it("is the same user by user and from scratch", () => {
    let state = startEProcess(test);
    for (const difference of FOUR_HUNDRED) state = nextEProcess(state, test, difference);
    const scratch = runEProcess(FOUR_HUNDRED, test);
    assert.equal(state.users, 400);
    close(logE(state, test), logE(scratch, test));
    assert.equal(isProven(state, test), isProven(scratch, test));
  });

  it("is proven exactly when the lower bound is beyond the margin", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 60; round++) {
      const differences = Array.from({ length: 150 }, () => 0.03 + 0.2 * (random.next() - 0.5) * 2);
      const proven = isProven(runEProcess(differences, test), test);
      assert.equal(proven, lowerBound(differences, test) >= test.margin - 1e-9);
    }
  });

  it("never goes broke on the worst differences, at any margin", () => {
    for (const margin of [-0.5, 0, 0.05, 0.9]) {
      const bold = planTest({ margin, mde: 0.99, variance: 0.001, alpha: 0.05 });
      for (const { lambda } of bold.bets) assert.ok(1 + lambda * (-1 - margin) >= 0);
    }
  });

  it("refuses what is no difference", () => {
    for (const bad of [Number.NaN, 1.01, -1.01, Number.POSITIVE_INFINITY]) {
      assert.throws(() => runEProcess([bad], test), /expected a difference in −1…1/);
      assert.throws(() => nextEProcess(startEProcess(test), test, bad), /expected a difference in −1…1/);
    }
  });

  it("spends at most α over all attempts", () => {
    assert.equal(alphaOfAttempt(0.05, 1), 0.025);
    assert.equal(alphaOfAttempt(0.05, 4), 0.0025);
    let spent = 0;
    for (let attempt = 1; attempt <= 10_000; attempt++) spent += alphaOfAttempt(0.05, attempt);
    assert.ok(spent < 0.05 && spent > 0.0499);
    assert.throws(() => alphaOfAttempt(0.05, 0), /expected attempt/);
  });

  it("shares one unit of stake, half of it on the planned bet", () => {
    close(
      test.bets.reduce((sum, { weight }) => sum + weight, 0),
      1,
      1e-12,
    );
    close(test.bets[0].lambda, 0.016 / 0.15, 1e-12);
    assert.equal(planTest({ ...plan, variance: 0 }).bets[0].lambda, 0.95);
  });
});

describe("planned length", () => {
  it("has the first-passage probability of the inverse Gaussian", () => {
    // stats.invgauss.cdf(n, mu/lam, scale=lam), mu = C/g, lam = C**2/v**2; g=.00133, v=.0516, C=4.382
    close(firstPassage(2000, 0.00133, 0.0516, 4.382), 0.3184234339370716);
    close(firstPassage(4800, 0.00133, 0.0516, 4.382), 0.8158042083239417);
  });

  it("foresees under 4,800 users for a lift of .02 at a variance of .15 and α = .025", () => {
    const { n80, nMax } = plannedUsers({ margin: 0, mde: 0.02, variance: 0.15, alpha: 0.025 });
    assert.ok(n80 > 4000 && n80 < 4800, `${n80}`);
    assert.equal(nMax, 2 * n80);
  });

  it("needs more users for less lift, and none at all for none", () => {
    const test = planTest({ margin: 0, mde: 0.01, variance: 0.0056, alpha: 0.025 });
    const users = [0.03, 0.02, 0.01].map((lift) => usersForPower(test, lift, 0.0056, 0.8) ?? 0);
    assert.ok(users[0] < users[1] && users[1] < users[2]);
    assert.equal(usersForPower(test, 0, 0.0056, 0.8), null);
  });

  it("counts down as evidence comes in", () => {
    const test = planTest({ margin: 0, mde: 0.02, variance: 0.05, alpha: 0.025 });
    const left = [0, 100, 200].map((users) =>
      usersStillNeeded(runEProcess(FOUR_HUNDRED.slice(0, users), test), test, 0.072, 0.04),
    );
    assert.ok(left.every((users) => users !== null));
    assert.ok(Number(left[0]) > Number(left[1]) && Number(left[1]) > Number(left[2]));
  });
});
