import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DiagnosisEvidence, diagnose } from "../../../models/gate/diagnosis.ts";

const healthyTie: DiagnosisEvidence = {
  lift: { mean: 0.001, low: -0.004, high: 0.006 },
  trainNdcg: 0.12,
  holdoutNdcg: 0.09,
  popularityNdcg: 0.085,
  shuffledControl: { ndcg: { mean: 0.006, low: 0.004, high: 0.008 }, chance: 0.005 },
  seenItemLists: 0,
  losses: [5, 3, 2, 1.8, 1.7, 1.66, 1.65, 1.645, 1.643, 1.642, 1.641, 1.6405],
  learningCurve: [
    { share: 0.25, ndcg: 0.08 },
    { share: 0.5, ndcg: 0.089 },
    { share: 1, ndcg: 0.09 },
  ],
};

const planted = (change: Partial<DiagnosisEvidence>) => diagnose({ ...healthyTie, ...change });

describe("diagnosis of a challenger that does not pay", () => {
  it("has nothing to explain when it does pay", () => {
    assert.equal(planted({ lift: { mean: 0.01, low: 0.002, high: 0.02 } }).diagnosis, null);
  });
  it("calls a confident tie with everything else in order no signal", () => {
    const report = planted({});
    assert.equal(report.diagnosis, "no-signal");
    assert.match(report.evidence[0], /−0\.004 to 0\.006/);
  });
  it("finds a leak by its shuffled-label control", () => {
    const report = planted({
      shuffledControl: { ndcg: { mean: 0.05, low: 0.04, high: 0.06 }, chance: 0.005 },
    });
    assert.equal(report.diagnosis, "leak-or-bug");
    assert.match(report.evidence[0], /shuffled labels it scores 0\.050 where chance gives 0\.005/);
  });
  it("finds a bug when training shines and the holdout falls below popularity", () => {
    assert.equal(planted({ trainNdcg: 0.6, holdoutNdcg: 0.05 }).diagnosis, "leak-or-bug");
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
    const learningCurve = [
      { share: 0.5, ndcg: 0.07 },
      { share: 1, ndcg: 0.09 },
    ];
    const report = planted({ learningCurve });
    assert.equal(report.diagnosis, "too-little-data");
    assert.match(report.evidence[0], /0\.070 with 50 % of the data, 0\.090 with 100 %/);
  });
  it("names a bug before any milder explanation", () => {
    assert.equal(planted({ seenItemLists: 1, losses: [3, 2, 1] }).diagnosis, "leak-or-bug");
  });
});
