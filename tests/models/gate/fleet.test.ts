import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainFleet } from "../../../models/gate/explain-fleet.ts";
import {
  bucketStartMs,
  type FleetEvidence,
  judgeFleet,
  LATENCY_BUCKETS,
  latencyBucket,
} from "../../../models/gate/fleet.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";

/** `slow` of the answers took `slowMs`, the others 2 ms. */
function evidence(shape: Partial<FleetEvidence> & { slow?: number; slowMs?: number }): FleetEvidence {
  const { slow = 0, slowMs = 1000, ...given } = shape;
  const { requests = 1000, errors = 0 } = given;
  const latency = new Array<number>(LATENCY_BUCKETS).fill(0);
  latency[latencyBucket(2)] = requests - errors - slow;
  latency[latencyBucket(slowMs)] += slow;
  return {
    live: { version: "als-aaaaaaaaaaaa", phase: 3, recipe: "als" },
    previous: "item-knn-bbbbbbbbbbbb",
    epoch: 4,
    replicas: 3,
    requests,
    errors,
    latency,
    ...given,
  };
}
const judge = (shape: Parameters<typeof evidence>[0]) => judgeFleet(evidence(shape), DEFAULT_POLICY);

describe("the fleet's latency buckets", () => {
  it("hold every latency between their starts, four to a doubling", () => {
    for (const elapsedMs of [0, 0.1, 0.26, 1, 2, 100, 249, 257, 5000, 1e9]) {
      const bucket = latencyBucket(elapsedMs);
      assert.ok(bucketStartMs(bucket) <= elapsedMs);
      assert.ok(bucket === LATENCY_BUCKETS - 1 || elapsedMs < bucketStartMs(bucket + 1));
    }
    assert.equal(bucketStartMs(4) * 2, bucketStartMs(8));
  });
});

describe("the verdict on a version in service", () => {
  it("is nothing wrong with few errors and few slow answers", () => {
    const ruling = judge({ errors: 5, slow: 5 });
    assert.deepEqual([ruling.verdict, ruling.reasons], ["pass", ["FLEET_SOUND"]]);
    assert.equal(explainFleet(ruling), "Sound in service: 1,000 requests on 3 replicas, 5 unanswered.");
  });

  it("leaves a version for errors when the 99.9 % lower bound of the rate is beyond the limit", () => {
    // P(X ≥ x) = 0.001 for X ~ Bin(1000, p) at p = 0.009670 for x = 21 and 0.010344 for x = 22, by bisection.
    assert.equal(judge({ errors: 21 }).verdict, "pass");
    const ruling = judge({ errors: 22 });
    assert.ok(Math.abs(ruling.errorRate - 0.010343759474460144) < 1e-9);
    assert.deepEqual([ruling.verdict, ruling.reasons], ["reject", ["FLEET_ERRORS"]]);
    assert.match(explainFleet(ruling), /1,000 requests on 3 replicas it left 22 unanswered, at least 1 %/);
  });

  it("leaves a version for slowness when more than 1 % took longer than the limit with certainty", () => {
    assert.equal(judge({ slow: 21 }).verdict, "pass");
    const ruling = judge({ slow: 22 });
    assert.deepEqual([ruling.verdict, ruling.reasons], ["reject", ["FLEET_SLOW"]]);
    assert.equal(ruling.p99Ms, bucketStartMs(latencyBucket(1000)));
    assert.match(explainFleet(ruling), /its p99 is at least 861 ms where 250 ms is the limit/);
    assert.equal(judge({ slow: 500, slowMs: 240 }).verdict, "pass");
  });

  it("is held with little traffic, however bad", () => {
    const ruling = judge({ requests: 199, errors: 199 });
    assert.deepEqual([ruling.verdict, ruling.reasons], ["hold", ["FLEET_TOO_QUIET"]]);
  });

  it("is held on figures that cannot be used", () => {
    for (const broken of [{ requests: Number.NaN }, { errors: 2000 }, { latency: [1.5] }]) {
      assert.deepEqual(judge(broken).reasons, ["EVIDENCE_NOT_FINITE"]);
    }
  });
});
