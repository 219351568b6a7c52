import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  driftSignals,
  historyLengthHistogram,
  popularityBins,
  populationStabilityIndex,
} from "../../../models/gate/drift.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { mayBecome, TRANSITIONS, VERSION_STATES } from "../../../models/gate/states.ts";

describe("drift", () => {
  it("has the PSI of the formula", () => {
    // NumPy: E=(e+.5)/(e+.5).sum(); A=(a+.5)/(a+.5).sum(); ((A-E)*np.log(A/E)).sum(), e=10,20,30,40 a=40,30,20,10
    const psi = populationStabilityIndex([10, 20, 30, 40], [40, 30, 20, 10]);
    assert.ok(Math.abs(psi - 0.8719768526109903) < 1e-9);
    assert.equal(populationStabilityIndex([1, 2], [1, 2]), 0);
    assert.ok(Number.isFinite(populationStabilityIndex([5, 0], [0, 5])));
    assert.throws(() => populationStabilityIndex([1], [1, 2]), /same bins/);
  });
  it("bins items by popularity into equal parts of the demand", () => {
    assert.deepEqual([...popularityBins([4, 1, 2, 1], 2)], [0, 1, 1, 1]);
  });
  it("doubles the bins of history length", () => {
    const histogram = historyLengthHistogram([0, 1, 2, 3, 4, 7, 8, 5000]);
    assert.deepEqual(histogram, [1, 1, 2, 2, 1, 0, 0, 0, 0, 0, 1]);
  });
  it("signals each kind of change, and none on steady traffic", () => {
    const steady = {
      popularity: { expected: [50, 50], actual: [49, 51] },
      historyLength: { expected: [10, 90], actual: [9, 91] },
      unknownItems: { expected: 0.35, actual: 0.4 },
      unknownUsers: { expected: 0.7, actual: 0.75 },
      eventsPerDay: { expected: 100, actual: 120 },
    };
    const drifted = (change: Partial<typeof steady>) =>
      driftSignals({ ...steady, ...change }, DEFAULT_POLICY.drift)
        .filter((signal) => signal.drifted)
        .map(({ name }) => name);
    assert.deepEqual(drifted({}), []);
    assert.deepEqual(drifted({ popularity: { expected: [90, 10], actual: [10, 90] } }), ["popularity"]);
    assert.deepEqual(drifted({ historyLength: { expected: [90, 10], actual: [10, 90] } }), [
      "history-length",
    ]);
    assert.deepEqual(drifted({ unknownItems: { expected: 0.15, actual: 0.4 } }), ["unknown-items"]);
    assert.deepEqual(drifted({ unknownUsers: { expected: 0.05, actual: 0.3 } }), ["unknown-users"]);
    assert.deepEqual(drifted({ eventsPerDay: { expected: 100, actual: 20 } }), ["event-rate"]);
    assert.deepEqual(drifted({ eventsPerDay: { expected: 100, actual: 0 } }), ["event-rate"]);
  });
});

describe("states", () => {
  it("lead to LIVE only through ELIGIBLE, with or without a canary, or by rollback to what was live", () => {
    const sources = VERSION_STATES.filter((from) => mayBecome(from, "LIVE"));
    assert.deepEqual(sources.sort(), ["CANARY", "ELIGIBLE", "PREVIOUS", "RETIRED"]);
  });
  it("never let a rejected version back, and a quarantined one only to the beginning of the gate", () => {
    assert.deepEqual(TRANSITIONS.REJECTED, []);
    assert.deepEqual(TRANSITIONS.QUARANTINED, ["STALE"]);
  });
  it("can reject anything before LIVE and make a stale attempt start again", () => {
    for (const state of ["REGISTERED", "SCREENED", "SHADOWING", "ELIGIBLE"] as const) {
      assert.ok(mayBecome(state, "REJECTED"));
    }
    assert.ok(
      mayBecome("SHADOWING", "STALE") && mayBecome("ELIGIBLE", "STALE") && mayBecome("STALE", "SCREENED"),
    );
  });
});
