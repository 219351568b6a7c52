import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { itemId } from "../../../models/data/ids.ts";
import { gini } from "../../../models/evaluation/exposure.ts";
import { ndcg } from "../../../models/evaluation/ndcg.ts";
import { quantileBounds } from "../../../models/gate/binomial-bounds.ts";
import { planFigure } from "../../../models/gate/capped-figure.ts";
import { planOf } from "../../../models/gate/decide.ts";
import { populationStabilityIndex } from "../../../models/gate/drift.ts";
import {
  type EProcessPlan,
  isProven,
  logE,
  lowerBound,
  planTest,
  runEProcess,
} from "../../../models/gate/e-process.ts";
import type { ShadowEvidence, ShownToUser } from "../../../models/gate/evidence.ts";
import { judgeFleet, LATENCY_BUCKETS } from "../../../models/gate/fleet.ts";
import { allGuardrails } from "../../../models/gate/guardrails/all.ts";
import { marginOf } from "../../../models/gate/margin.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../../models/gate/policy.ts";
import { plannedLength, usersForPower, usersStillNeeded } from "../../../models/gate/power.ts";
import type { GuardrailCode } from "../../../models/gate/reasons.ts";
import { screen } from "../../../models/gate/screen-bounds.ts";
import type { TestPlan } from "../../../models/gate/test-plan.ts";
import { isFutile, isProvenLoss, runTest } from "../../../models/gate/test-result.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";

const SCRIPT = fileURLToPath(new URL("../../../../tests/references/gate.py", import.meta.url));

/** Printed by `python3 tests/references/gate.py` with SciPy 1.17.1 and NumPy 2.4.6. */
const REFERENCES = {
  margins: [0.00678910321750138, 0.015, -0.003],
  firstUpgradeLogE: 17.259811217900566,
  firstUpgradeBound: 0.04806179037560881,
  firstRefreshLogE: -1.085664375973899,
  firstRefreshBound: -0.03832598363498304,
  firstCappedLogE: 8.44870964518903,
  firstCappedBound: 0.9462821546837391,
  firstLossUsers: [109, 129],
  upgradeLogE: 29.24158285168788,
  upgradeBound: 0.05146896122899443,
  refreshLogE: -1.1248257278796965,
  refreshBound: -0.04034290306031552,
  votesLogE: 3.353338422234733,
  votesBound: -0.051126262933218064,
  provenUsers: 69,
  futileUsers: 78,
  figurePlan: [0.7, 0.08199999999999999, 0.040319999999999995],
  n80: [5126, 2412],
  moreUsers: 71,
  firstN80: [4628, 2196],
  screenBounds: [0.04586647820569849, 0.12303332623589154],
  novelty: [0.9879518072289157, 0.9835567539808964, 0.9963795968258051],
  coverage: [0.7666666666666667, 0.7320989938738568, 0.8406212480517117],
  giniOfBoth: [0.3945, 0.24733333333333332],
  lightUsers: [0.038139534883720946, 0.019242248062015507, 0.07255887596899223],
  failureRate: [3.811357256530329e-5, 0.001549994279706198],
  p99Ranks: [996, 999, 979],
  fleetErrorRate: 0.01034375947458181,
  psi: [0.8719768526109903, 0.2374324040475751],
  ndcg: 0.49661976912920763,
} as const;

const TEN = [0.1, -0.05, 0, 0.3, -0.2, 0.25, 0.02, 0, 0.5, -0.1];
const repeated = (values: readonly number[], times: number): number[] =>
  Array.from({ length: times * values.length }, (_, index) => values[index % values.length]);
const FOUR_HUNDRED = repeated(TEN, 40);
const rowsOf = (differences: readonly number[]) =>
  differences.map((difference, user) => ({ user: `u${user}`, difference }));

function same(actual: number | readonly number[], expected: number | readonly number[]): void {
  const [got, wanted] = [[actual].flat(), [expected].flat()];
  assert.equal(got.length, wanted.length);
  for (const [place, one] of wanted.entries()) {
    assert.ok(Math.abs(got[place] - one) <= 1e-9 * Math.max(1, Math.abs(one)), `${got} is not ${wanted}`);
  }
}

describe("the gate's formulas agree to 1e-9 with NumPy and SciPy", () => {
  it("the margin of an upgrade, its cap, and that of a refresh", () => {
    const of = (kind: "UPGRADE" | "REFRESH", challenger: 3 | 4, cpu: [number, number]) =>
      marginOf(
        {
          kind,
          baselineMean: 0.3,
          phases: { challenger, baseline: 2 },
          cpuMsPerRequest: { challenger: cpu[0], baseline: cpu[1] },
        },
        DEFAULT_POLICY.margins,
      );
    same(
      [of("UPGRADE", 3, [6, 2.5]), of("UPGRADE", 4, [100, 0.01]), of("REFRESH", 3, [6, 2.5])],
      REFERENCES.margins,
    );
  });

  const firstTests = {
    firstUpgrade: [FOUR_HUNDRED, { mde: 0.02, margin: 0.004, variance: 0.15, alpha: 0.025 }],
    firstRefresh: [
      FOUR_HUNDRED.map((difference) => difference - 0.09),
      { mde: 0.02, margin: -0.003, variance: 0.05, alpha: 0.025 },
    ],
    firstCapped: [repeated([1, 1, 0.95, 1], 50), { mde: 0.95, margin: 0.9, variance: 0.01, alpha: 0.025 }],
  } as const satisfies Record<string, readonly [readonly number[], TestPlan]>;
  for (const [name, [differences, plan]] of Object.entries(firstTests)) {
    it(`E and the lower bound of a test of the first design (${name})`, () => {
      const result = runTest(rowsOf(differences), plan);
      same(result.logE, REFERENCES[`${name as keyof typeof firstTests}LogE`]);
      same(result.lowerBound, REFERENCES[`${name as keyof typeof firstTests}Bound`]);
    });
  }

  it("the user at whom the first design proved a loss, of an upgrade and of a refresh", () => {
    const rows = rowsOf(FOUR_HUNDRED.map((difference) => -difference));
    const users = [0.004, -0.01].map((margin) => {
      const plan = { margin, mde: 0.02, variance: 0.05, alpha: 0.025 };
      return 1 + rows.findIndex((_, last) => isProvenLoss(rows.slice(0, last + 1), plan));
    });
    same(users, REFERENCES.firstLossUsers);
  });

  const numbers = { range: 0.6, excess: 0.02, variance: 0.04, alpha: 0.025 };
  const tests = {
    upgrade: [FOUR_HUNDRED, { ...numbers, margin: 0.004 }],
    refresh: [FOUR_HUNDRED.map((difference) => difference - 0.09), { ...numbers, margin: -0.003 }],
  } as const satisfies Record<string, readonly [readonly number[], EProcessPlan]>;
  for (const [name, [differences, plan]] of Object.entries(tests)) {
    it(`E and the lower bound of a test (${name})`, () => {
      const test = planTest(plan);
      same(logE(runEProcess(differences, test)), REFERENCES[`${name as keyof typeof tests}LogE`]);
      same(lowerBound(differences, test), REFERENCES[`${name as keyof typeof tests}Bound`]);
    });
  }

  it("E of interleaving's votes, at the α that an attempt and the policy leave it", () => {
    const evidence = { ...healthyEvidence(), attempt: 2 };
    const policy = parsePolicy({ interleaving: { mde: 0.05, alphaShare: 0.5 } });
    const plan = planOf(evidence, policy, "interleaving");
    assert.ok(plan !== null);
    const result = runTest(rowsOf(repeated([1, 1, -1, 1 / 3, 0, -1, 1], 30)), plan);
    same(result.logE, REFERENCES.votesLogE);
    same(result.lowerBound, REFERENCES.votesBound);
  });

  it("the user at whom a lift is proven, and the one at whom a challenger is proven not to pay", () => {
    const test = planTest({ ...numbers, margin: 0.004 });
    const proven = FOUR_HUNDRED.findIndex((_, last) =>
      isProven(runEProcess(FOUR_HUNDRED.slice(0, last + 1), test), test),
    );
    same(proven + 1, REFERENCES.provenUsers);
    const losing = FOUR_HUNDRED.map((difference) => difference - 0.15);
    const figure = { test: "capped", cap: 0.6, lift: 0.034, variance: 0.04 } as const;
    const plan = { margin: 0.004, mde: 0.02, variance: 0.04, alpha: 0.025, futilityAlpha: 0.05, figure };
    same(
      1 + losing.findIndex((_, last) => isFutile(losing.slice(0, last + 1), plan)),
      REFERENCES.futileUsers,
    );
  });

  it("the cap, the lift and the variance that a holdout plans", () => {
    const baselines = repeated([0.1, 0.3, 0, 0.2, 0.4, 0.05, 0.1, 0.7, 0.2, 0.3], 8);
    const { cap, lift, variance } = planFigure(
      baselines.map((baseline, user) => ({ baseline, challenger: baseline + TEN[user % 10] })),
    );
    same([cap, lift ?? Number.NaN, variance], REFERENCES.figurePlan);
  });

  it("the planned length, its double, and how many more users would settle it", () => {
    const plans = [
      { margin: 0, range: 1, excess: 0.02, variance: 0.15, alpha: 0.025 },
      { margin: 0.004, range: 0.3, excess: 0.006, variance: 0.0056, alpha: 0.0125 },
    ].map((plan) => plannedLength(usersForPower(planTest(plan), plan.excess, plan.variance, 0.8)));
    same(
      plans.map(({ n80 }) => n80),
      REFERENCES.n80,
    );
    assert.ok(plans.every(({ n80, nMax }) => nMax === 2 * n80));
    const test = planTest({ ...numbers, margin: 0.004 });
    const lift = TEN.reduce((sum, one) => sum + one, 0) / 10;
    const variance = TEN.reduce((sum, one) => sum + (one - lift) ** 2, 0) / 9;
    same(usersStillNeeded(runEProcess(TEN, test), test, lift, variance) ?? 0, REFERENCES.moreUsers);
    const first = [
      { margin: 0, mde: 0.02, variance: 0.15, alpha: 0.025 },
      { margin: 0.004, mde: 0.01, variance: 0.0056, alpha: 0.0125 },
    ].map((plan) => runTest([], plan).n80);
    same(first, REFERENCES.firstN80);
  });

  it("the screen's bootstrap-t bounds, from the very same 2,000 resamples", () => {
    const { lowerBound: lower, upperBound: upper } = screen(repeated(TEN, 8), 0, DEFAULT_POLICY.screen, 7);
    same([lower, upper], REFERENCES.screenBounds);
  });

  const USERS = 60;
  const shown = (user: number, step: number, novelty: number): ShownToUser => ({
    items: Array.from({ length: 10 }, (_, place) => (step * user + place) % 90),
    novelty,
    diversity: 0.5,
  });
  const evidence: ShadowEvidence = {
    ...healthyEvidence(),
    lists: Array.from({ length: USERS }, (_, user) => ({
      challenger: shown(user, 1, 8 + (user % 5) / 10),
      baseline: shown(user, 2, 8.2 + (user % 3) / 10),
    })),
    catalogueItems: 100,
    users: Array.from({ length: USERS }, (_, user) => ({
      user: `u${user}`,
      difference: TEN[user % 10] / 10,
      baseline: 0.2 + 0.01 * (user % 4),
      cohort: "light" as const,
    })),
    requests: { asked: 5000, failures: 2, timeouts: 1 },
    latencyMs: {
      challenger: Array.from({ length: 1000 }, (_, place) => 1 + place),
      baseline: Array.from({ length: 1000 }, (_, place) => 1 + place),
    },
  };
  const numbersOf = (code: GuardrailCode) => {
    const found = allGuardrails(evidence, DEFAULT_POLICY).find((result) => result.code === code);
    assert.ok(found !== undefined);
    return found.numbers;
  };
  const estimate = (code: GuardrailCode) => {
    const { value, low, high } = numbersOf(code);
    return [value, low, high];
  };

  it("coverage, novelty and diversity against the baseline's, with their bootstrap bounds", () => {
    same(estimate("COVERAGE"), REFERENCES.coverage);
    same(estimate("NOVELTY"), REFERENCES.novelty);
    same(estimate("DIVERSITY"), [1, 1, 1]);
  });

  it("the Gini coefficients of exposure", () => {
    const { challenger, baseline, value } = numbersOf("CONCENTRATION");
    same([challenger, baseline], REFERENCES.giniOfBoth);
    same(value, REFERENCES.giniOfBoth[0] - REFERENCES.giniOfBoth[1]);
    same(gini([0, 0, 0, 9]), 0.75);
  });

  it("a cohort's relative change with its bounds", () => {
    same(estimate("LIGHT_USERS"), REFERENCES.lightUsers);
  });

  it("the failure rate's bounds, and the p99's", () => {
    const { low, high } = numbersOf("FAILURE_RATE");
    same([low, high], REFERENCES.failureRate);
    const samples = evidence.latencyMs?.challenger ?? [];
    same(
      [
        quantileBounds(samples, 0.99, 0.95).upper ?? 0,
        quantileBounds(samples, 0.99, 0.999).upper ?? 0,
        quantileBounds(samples, 0.99, 0.999).lower ?? 0,
      ],
      REFERENCES.p99Ranks,
    );
    same(numbersOf("LATENCY").high, REFERENCES.p99Ranks[0]);
  });

  it("the fleet's error rate", () => {
    const latency = new Array<number>(LATENCY_BUCKETS).fill(0);
    const { challenger: live } = evidence;
    const fleet = { live, previous: "p", epoch: 1, replicas: 1, requests: 1000, errors: 22, latency };
    same(judgeFleet(fleet, DEFAULT_POLICY).errorRate, REFERENCES.fleetErrorRate);
  });

  it("the population stability index, empty bins included", () => {
    const pairs = [
      [
        [10, 20, 30, 40],
        [40, 30, 20, 10],
      ],
      [
        [5, 0, 100],
        [0, 5, 90],
      ],
    ];
    same(
      pairs.map(([expected, actual]) => populationStabilityIndex(expected, actual)),
      REFERENCES.psi,
    );
  });

  it("nDCG@10", () => {
    const list = Array.from({ length: 10 }, (_, place) => itemId(`i${place + 1}`));
    const relevant = new Set(["i2", "i3", "i7", "x", "y"].map(itemId));
    same(ndcg(list, relevant, 10), REFERENCES.ndcg);
  });
});

const scipy = spawnSync("python3", ["-c", "import scipy, numpy"]).status === 0;

it("the constants are what the script prints", {
  skip: scipy ? false : "python3 has no SciPy here (pip install numpy scipy)",
}, () => {
  const { status, stdout, stderr } = spawnSync("python3", [SCRIPT], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const printed = Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => {
        const [name, value] = line.split(": ");
        return [name, JSON.parse(value) as number | number[]];
      }),
  );
  assert.deepEqual(Object.keys(printed), Object.keys(REFERENCES));
  for (const [name, value] of Object.entries(REFERENCES)) same(printed[name], value);
});
