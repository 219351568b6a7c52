import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LearningCurve, learningCurve } from "../../../models/evaluation/learning-curve.ts";
import { type DiagnosisEvidence, diagnose } from "../../../models/gate/diagnosis.ts";

/** A hundred users who all score the same, with 25, 50 and 100 % of the data. */
function curveThrough(...ndcgs: readonly number[]): LearningCurve {
  const samples = ndcgs.map((ndcg, at) => {
    const share = 2 ** (at + 1 - ndcgs.length);
    return { share, events: 10_000 * share, parts: [new Array<number>(100).fill(ndcg)] };
  });
  return learningCurve(samples, 1);
}

const healthyTie: DiagnosisEvidence = {
  lift: { mean: -0.001, low: -0.006, high: 0.004 },
  trainNdcg: 0.12,
  holdoutNdcg: 0.09,
  popularityNdcg: 0.085,
  overPopularity: { mean: 0.005, low: -0.001, high: 0.011 },
  shuffledControl: { ndcg: 0.084, overPopularity: { mean: -0.001, low: -0.005, high: 0.003 } },
  seenItemLists: 0,
  losses: [5, 3, 2, 1.8, 1.7, 1.66, 1.65, 1.645, 1.643, 1.642, 1.641, 1.6405],
  twiceTheEpochs: null,
  learningCurve: curveThrough(0.08, 0.089, 0.09),
};

const planted = (change: Partial<DiagnosisEvidence>) => diagnose({ ...healthyTie, ...change });

describe("diagnosis of a challenger that does not pay", () => {
  it("has nothing to explain when it does pay", () => {
    assert.equal(planted({ lift: { mean: 0.01, low: 0.002, high: 0.02 } }).diagnosis, null);
  });
  it("leaves a lead that is not proven to more users", () => {
    const report = planted({ lift: { mean: 0.01, low: -0.002, high: 0.02 } });
    assert.equal(report.diagnosis, null);
    assert.match(
      report.evidence[0],
      /0\.010 \(−0\.002 to 0\.020\), which these users can neither prove nor refute/,
    );
  });
  it("calls a confident tie with everything else in order no signal", () => {
    const report = planted({});
    assert.equal(report.diagnosis, "no-signal");
    assert.match(report.evidence[0], /−0\.006 to 0\.004/);
  });
  it("finds a leak by its shuffled-label control", () => {
    const report = planted({
      shuffledControl: { ndcg: 0.12, overPopularity: { mean: 0.035, low: 0.02, high: 0.05 } },
    });
    assert.equal(report.diagnosis, "leak-or-bug");
    assert.match(
      report.evidence[0],
      /shuffled labels it scores 0\.120, above chance \(0\.085, popularity\) by 0\.035/,
    );
  });
  it("finds a bug when training shines and the holdout falls below popularity", () => {
    const overPopularity = { mean: -0.035, low: -0.05, high: -0.02 };
    assert.equal(planted({ trainNdcg: 0.6, holdoutNdcg: 0.05, overPopularity }).diagnosis, "leak-or-bug");
  });
  it("does not call ordinary overfitting a leak: the holdout stands above popularity, and shuffled labels show nothing", () => {
    for (const overPopularity of [healthyTie.overPopularity, { mean: -0.004, low: -0.02, high: 0.012 }]) {
      assert.equal(planted({ trainNdcg: 0.9, overPopularity }).diagnosis, "no-signal");
    }
  });
  it("finds a bug when seen items come back", () => {
    assert.equal(planted({ seenItemLists: 3 }).diagnosis, "leak-or-bug");
  });
  it("finds training that stopped while the loss was falling", () => {
    const losses = [5, 4.5, 4, 3.6, 3.2, 2.9, 2.6, 2.3, 2.1, 1.9];
    const report = planted({ losses });
    assert.equal(report.diagnosis, "under-trained");
    assert.match(report.evidence[0], /still fell by 9\.5 % over the last epoch/);
  });
  it("finds data that ran out while the learning curve was rising", () => {
    const report = planted({ learningCurve: curveThrough(0.05, 0.07, 0.09) });
    assert.equal(report.diagnosis, "too-little-data");
    assert.match(report.evidence[0], /0\.070 with 50 % of the users, 0\.090 with 100 %/);
  });
  it("does not blame a falling loss when twice the epochs bring nothing worth having", () => {
    const losses = [5, 4.5, 4, 3.6, 3.2, 2.9, 2.6, 2.3, 2.1, 1.9];
    const flat = { mean: 0.0005, low: -0.001, high: 0.002 };
    assert.equal(planted({ losses, twiceTheEpochs: flat }).diagnosis, "no-signal");
    const gain = { mean: 0.01, low: 0.004, high: 0.016 };
    const report = planted({ losses, twiceTheEpochs: gain });
    assert.equal(report.diagnosis, "under-trained");
    assert.match(report.evidence[1], /twice the epochs bring 0\.010 \(0\.004 to 0\.016\)/);
    assert.equal(planted({ losses: [5] }).diagnosis, "under-trained");
  });
  it("does not let a lift excuse a leak", () => {
    assert.equal(
      planted({ lift: { mean: 0.1, low: 0.08, high: 0.12 }, seenItemLists: 2 }).diagnosis,
      "leak-or-bug",
    );
  });
  it("says what it did not look at", () => {
    const report = planted({ learningCurve: null, losses: [] });
    assert.equal(report.diagnosis, "no-signal");
    assert.match(report.evidence[0], /no learning curve measured$/);
  });
  it("names a bug before any milder explanation", () => {
    assert.equal(planted({ seenItemLists: 1, losses: [3, 2, 1] }).diagnosis, "leak-or-bug");
  });
});
