import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { latencyBucket } from "../../../models/gate/fleet.ts";
import type { ReplicaReport } from "../../../services/fleet/types.ts";
import { FleetReporter } from "../../../services/serving/fleet-reporter.ts";

const NEVER_MS = 1_000_000;

describe("a replica's report", () => {
  const opened: FleetReporter[] = [];
  const open = (send: (report: ReplicaReport) => Promise<unknown>): FleetReporter => {
    const reporter = new FleetReporter({ send, everyMs: NEVER_MS, slots: 3 });
    opened.push(reporter);
    return reporter;
  };
  afterEach(async () => {
    for (const reporter of opened.splice(0)) await reporter.close();
  });

  it("sums the latest slots and lets older ones go", async () => {
    const said: ReplicaReport[] = [];
    const reporter = open(async (report) => said.push(report));
    reporter.serves("als-1", 7);
    for (let slot = 0; slot < 5; slot++) {
      reporter.record(3);
      reporter.record(null);
      await reporter.tick();
    }
    assert.deepEqual(
      said.map(({ requests, errors }) => [requests, errors]),
      [
        [2, 1],
        [4, 2],
        [6, 3],
        [6, 3],
        [6, 3],
      ],
    );
    assert.equal(said[4].latency[latencyBucket(3)], 3);
    assert.deepEqual([said[4].version, said[4].epoch], ["als-1", 7]);
  });

  it("starts from nothing with another version, and is silent before the first", async () => {
    const said: ReplicaReport[] = [];
    const reporter = open(async (report) => said.push(report));
    await reporter.tick();
    assert.equal(said.length, 0);
    reporter.serves("als-1", 7);
    reporter.record(null);
    reporter.serves("als-2", 8);
    await reporter.tick();
    assert.deepEqual([said[0].version, said[0].requests], ["als-2", 0]);
  });

  it("goes on after one that did not arrive", async () => {
    let calls = 0;
    const reporter = open(async () => {
      calls++;
      throw new Error("Redis is away");
    });
    reporter.serves("als-1", 7);
    await reporter.tick();
    await reporter.tick();
    assert.equal(calls, 2);
  });
});
