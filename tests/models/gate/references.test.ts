import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { itemId } from "../../../models/data/ids.ts";
import { gini } from "../../../models/evaluation/exposure.ts";
import { ndcg } from "../../../models/evaluation/ndcg.ts";
import { quantileBounds } from "../../../models/gate/binomial-bounds.ts";
import { planOf } from "../../../models/gate/decide.ts";
import { populationStabilityIndex } from "../../../models/gate/drift.ts";
import { logE, lowerBound, planTest, runEProcess, type TestPlan } from "../../../models/gate/e-process.ts";
import type { ShadowEvidence, ShownToUser } from "../../../models/gate/evidence.ts";
import { judgeFleet, LATENCY_BUCKETS } from "../../../models/gate/fleet.ts";
import { allGuardrails } from "../../../models/gate/guardrails/all.ts";
import { marginOf } from "../../../models/gate/margin.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../../models/gate/policy.ts";
import { plannedUsers, usersStillNeeded } from "../../../models/gate/power.ts";
import type { GuardrailCode } from "../../../models/gate/reasons.ts";
import { screen } from "../../../models/gate/screen.ts";
import { isProvenLoss } from "../../../models/gate/test-result.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";

const SCRIPT = fileURLToPath(new URL("../../../../tests/references/gate.py", import.meta.url));

/** Printed by `python3 tests/references/gate.py` with SciPy 1.17.1 and NumPy 2.4.6. */
const REFERENCES = {
  margins: [0.00678910321750138, 0.015, -0.003],
  upgradeLogE: 17.259811217900566,
  upgradeBound: 0.04806179037560881,
  refreshLogE: -1.085664375973899,
  refreshBound: -0.03832598363498304,
  cappedLogE: 8.44870964518903,
  cappedBound: 0.9462821546837391,
  interleavedLogE: 2.8836168208131934,
  interleavedBound: -0.048958286950216916,
  provenLossUsers: [109, 129],
  n80: [4628, 2196],
  moreUsers: 113,
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

  const tests = {
    upgrade: [FOUR_HUNDRED, { mde: 0.02, margin: 0.004, variance: 0.15, alpha: 0.025 }],
    refresh: [
      FOUR_HUNDRED.map((difference) => difference - 0.09),
      { mde: 0.02, margin: -0.003, variance: 0.05, alpha: 0.025 },
    ],
    capped: [repeated([1, 1, 0.95, 1], 50), { mde: 0.95, margin: 0.9, variance: 0.01, alpha: 0.025 }],
  } as const satisfies Record<string, readonly [readonly number[], TestPlan]>;
  for (const [name, [differences, plan]] of Object.entries(tests)) {
    it(`E and the lower bound of a test (${name})`, () => {
      const test = planTest(plan);
      same(logE(runEProcess(differences, test), test), REFERENCES[`${name as keyof typeof tests}LogE`]);
      same(lowerBound(differences, test), REFERENCES[`${name as keyof typeof tests}Bound`]);
    });
  }

  it("E of interleaving's votes, at the α that an attempt and the policy leave it", () => {
    const evidence = { ...healthyEvidence(), attempt: 2 };
    const plan = planOf(
      evidence,
      parsePolicy({ interleaving: { mde: 0.05, alphaShare: 0.5 } }),
      "interleaving",
    );
    assert.ok(plan !== null);
    const votes = repeated([1, 1, -1, 1 / 3, 0, -1, 1], 30);
    const test = planTest(plan);
    same(logE(runEProcess(votes, test), test), REFERENCES.interleavedLogE);
    same(lowerBound(votes, test), REFERENCES.interleavedBound);
  });

  it("the user at whom a loss is proven, of an upgrade and of a refresh", () => {
    const rows = FOUR_HUNDRED.map((difference, user) => ({ user: `u${user}`, difference: -difference }));
    const users = [0.004, -0.01].map((margin) => {
      const plan = { margin, mde: 0.02, variance: 0.05, alpha: 0.025 };
      return 1 + rows.findIndex((_, last) => isProvenLoss(rows.slice(0, last + 1), plan));
    });
    same(users, REFERENCES.provenLossUsers);
  });

  it("the planned length, its double, and how many more users would settle it", () => {
    const plans = [
      { margin: 0, mde: 0.02, variance: 0.15, alpha: 0.025 },
      { margin: 0.004, mde: 0.01, variance: 0.0056, alpha: 0.0125 },
    ].map(plannedUsers);
    same(
      plans.map(({ n80 }) => n80),
      REFERENCES.n80,
    );
    assert.ok(plans.every(({ n80, nMax }) => nMax === 2 * n80));
    const test = planTest({ margin: 0, mde: 0.02, variance: 0.15, alpha: 0.025 });
    const lift = TEN.reduce((sum, one) => sum + one, 0) / 10;
    const variance = TEN.reduce((sum, one) => sum + (one - lift) ** 2, 0) / 9;
    same(usersStillNeeded(runEProcess(TEN, test), test, lift, variance) ?? 0, REFERENCES.moreUsers);
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
