import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { type MarginInputs, marginOf } from "../../../models/gate/margin.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { screenChallenger } from "../../../models/gate/screen.ts";
import { screen, studentisedBounds } from "../../../models/gate/screen-bounds.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";

const close = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);

describe("margin", () => {
  const upgrade = (from: 1 | 2 | 3 | 4, to: 1 | 2 | 3 | 4, challenger: number, baseline: number) =>
    marginOf(
      {
        kind: "UPGRADE",
        baselineMean: 0.3,
        phases: { challenger: to, baseline: from },
        cpuMsPerRequest: { challenger, baseline },
      },
      DEFAULT_POLICY.margins,
    );

  it("asks for the rungs climbed and the doublings of cost", () => {
    // python3: .3*min(.05, .01*1 + .01*np.log2(6/2.5))
    close(upgrade(2, 3, 6, 2.5), 0.00678910321750138, 1e-9);
  });
  it("never asks for more than the cap", () => {
    close(upgrade(1, 4, 100, 0.01), 0.3 * 0.05, 1e-12);
  });
  it("gives no discount for a step down or a cheaper model", () => {
    assert.equal(upgrade(4, 2, 0.1, 5), 0);
  });
  it("lets a refresh lose one per cent", () => {
    const refresh: MarginInputs = {
      kind: "REFRESH",
      baselineMean: 0.3,
      phases: { challenger: 2, baseline: 2 },
      cpuMsPerRequest: { challenger: 1, baseline: 1 },
    };
    close(marginOf(refresh, DEFAULT_POLICY.margins), -0.003, 1e-12);
  });
  it("refuses costs that were not measured", () => {
    assert.throws(() => upgrade(1, 2, 1, 0), /positive CPU times/);
    assert.throws(() => upgrade(1, 2, Number.NaN, 1), /positive CPU times/);
  });
});

describe("screen", () => {
  const skewed = Array.from(
    { length: 80 },
    (_, index) => [0.1, -0.05, 0, 0.3, -0.2, 0.25, 0.02, 0, 0.5, -0.1][index % 10],
  );

  it("agrees with a bootstrap-t of 400,000 resamples in NumPy", () => {
    // x = d[r.integers(0, n, (400000, n))]; t = (x.mean(1)-m) / (x.std(1, ddof=1)/sqrt(n))
    // m - np.quantile(t, [.95, .05])*s/sqrt(n)
    const { lower, upper, standardDeviation } = studentisedBounds(skewed, 0.95, 20_000, 1);
    close(standardDeviation, 0.2007984063681781, 1e-9);
    close(lower, 0.04651563127721689, 0.0008);
    close(upper, 0.12155552378862167, 0.0008);
  });
  it("passes beyond the margin, loses below it, and is inconclusive between", () => {
    const outcome = (margin: number) => screen(skewed, margin, DEFAULT_POLICY.screen, 1).outcome;
    assert.equal(outcome(0.04), "passed");
    assert.equal(outcome(0.08), "inconclusive");
    assert.equal(outcome(0.13), "lost");
  });
  it("admits the inconclusive only where the policy does, and a loss never", () => {
    const strict = { ...DEFAULT_POLICY.screen, admit: "passed" } as const;
    assert.equal(screen(skewed, 0.08, DEFAULT_POLICY.screen, 1).admitted, true);
    assert.equal(screen(skewed, 0.08, strict, 1).admitted, false);
    assert.equal(screen(skewed, 0.13, DEFAULT_POLICY.screen, 1).admitted, false);
  });
  it("cannot tell from too few users or figures that are not finite", () => {
    assert.equal(screen(skewed.slice(0, 10), 0, DEFAULT_POLICY.screen, 1).outcome, "inconclusive");
    const poisoned = screen([...skewed, Number.NaN], -1, DEFAULT_POLICY.screen, 1);
    assert.deepEqual([poisoned.outcome, poisoned.admitted], ["inconclusive", false]);
  });
  it("does not call identical lists a lift", () => {
    const zeros = new Array<number>(100).fill(0);
    assert.equal(screen(zeros, 0, DEFAULT_POLICY.screen, 1).outcome, "inconclusive");
    assert.equal(screen(zeros, 0.001, DEFAULT_POLICY.screen, 1).outcome, "lost");
  });
  it("keeps its level on a skewed null where the plain t-test does not", () => {
    // Mean exactly 0: common small wins, rare large losses.
    const random = seededRandom(8);
    let studentised = 0;
    let plain = 0;
    for (let run = 0; run < 200; run++) {
      const d = Array.from({ length: 200 }, () => (random.next() < 0.02 ? -0.98 : 0.02));
      const result = screen(d, 0, { ...DEFAULT_POLICY.screen, resamples: 400 }, run);
      if (result.outcome === "passed") studentised++;
      if (result.lift > (1.645 * result.standardDeviation) / Math.sqrt(200)) plain++;
    }
    assert.ok(studentised < plain, `bootstrap-t ${studentised}, plain t ${plain} of 200`);
  });
});

describe("screening a challenger", () => {
  const { kind, challenger, baseline, users, faults, window } = healthyEvidence();
  const evidence = {
    kind,
    challenger,
    baseline,
    baselineMean: 0.2,
    cpuMsPerRequest: { challenger: 0.4, baseline: 0.1 },
    users,
    faults,
    window,
    seed: 1,
  };

  it("passes a healthy lift", () => {
    const ruling = screenChallenger(evidence, DEFAULT_POLICY);
    assert.deepEqual([ruling.verdict, ruling.reasons, ruling.admitted], ["pass", ["SCREEN_PASSED"], true]);
  });
  it("rejects broken lists and training past the cut whatever the lift", () => {
    const broken = { ...evidence, faults: { ...faults, "seen-item": 1 } as typeof faults };
    assert.deepEqual(screenChallenger(broken, DEFAULT_POLICY).reasons, ["SEEN_ITEM"]);
    const peeked = { ...evidence, window: { trainedThrough: 2, judgedFrom: 1 } };
    assert.deepEqual(screenChallenger(peeked, DEFAULT_POLICY).reasons, ["TRAINED_PAST_CUT"]);
  });
  it("holds and does not admit on anything missing", () => {
    for (const gap of [{ faults: null }, { window: null }, { baselineMean: Number.NaN }]) {
      const ruling = screenChallenger({ ...evidence, ...gap }, DEFAULT_POLICY);
      assert.deepEqual([ruling.verdict, ruling.admitted], ["hold", false]);
    }
  });
});
