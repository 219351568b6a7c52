import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alphaOfAttempt, alphaOfDiscovery, attemptOfLine } from "../../../models/gate/alpha-spending.ts";

describe("α over many challengers", () => {
  it("spends at most α over all lines at one baseline", () => {
    assert.equal(alphaOfAttempt(0.05, 1), 0.025);
    assert.equal(alphaOfAttempt(0.05, 4), 0.0025);
    let spent = 0;
    for (let attempt = 1; attempt <= 10_000; attempt++) spent += alphaOfAttempt(0.05, attempt);
    assert.ok(spent < 0.05 && spent > 0.0499);
    assert.throws(() => alphaOfAttempt(0.05, 0), /expected attempt/);
  });

  it("gives α back for each promotion where a share of them may be false, and never more than α", () => {
    let spent = 0;
    for (let pair = 1; pair <= 100_000; pair++)
      spent += alphaOfDiscovery(0.05, { pair: pair, promotions: 0 });
    assert.ok(spent < 0.05 && spent > 0.045, `${spent}`);
    assert.equal(
      alphaOfDiscovery(0.05, { pair: 9, promotions: 8 }),
      9 * alphaOfDiscovery(0.05, { pair: 9, promotions: 0 }),
    );
    assert.equal(alphaOfDiscovery(0.05, { pair: 2, promotions: 40 }), 0.05);
    assert.ok(alphaOfDiscovery(0.05, { pair: 200, promotions: 0 }) > 2 * alphaOfAttempt(0.05, 200));
    assert.throws(() => alphaOfDiscovery(0.05, { pair: 2, promotions: -1 }), /expected 0, 1, … promotions/);
  });

  it("numbers lines as they came, so that retraining a line every day costs nothing", () => {
    const opened = ["als", "item-knn", "als", "als"];
    assert.deepEqual(
      ["als", "item-knn", "sasrec"].map((line) => attemptOfLine(opened, line)),
      [1, 2, 3],
    );
    assert.equal(attemptOfLine([], "als"), 1);
  });
});
