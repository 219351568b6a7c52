import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { placeOf } from "../../../models/gate/assignment.ts";
import { PhasewiseError } from "../../../services/errors.ts";
import type { ShadowBatch, ShadowRequest } from "../../../services/queues/types.ts";
import { ShadowTap } from "../../../services/serving/shadow-tap.ts";

function request(requestId: string): ShadowRequest {
  return {
    requestId,
    userId: "u1",
    historyThrough: 3,
    k: 10,
    exclude: [],
    liveVersion: "popularity-000000000000",
    served: [],
    at: 0,
  };
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `request-${index}`);
const idsOf = (requests: readonly ShadowRequest[]): string[] => requests.map(({ requestId }) => requestId);
const full = () => new PhasewiseError("OVERLOADED", "the queue is full");
const NEVER_BY_TIMER = 1_000_000;

describe("the shadow tap", () => {
  it("samples the asked share of request ids, always the same ones", () => {
    const tap = new ShadowTap({ rate: 0.25, send: async () => {}, onShed: () => {} });
    const sampled = ids(20_000).filter((id) => tap.samples(id, "ann", 0));
    // Binomial: 5,000 expected, standard deviation 61.
    assert.ok(Math.abs(sampled.length - 5000) < 6 * 61, `got ${sampled.length}`);
    assert.deepEqual(
      ids(20_000).filter((id) => tap.samples(id, "ann", 0)),
      sampled,
    );
  });

  it("takes all at rate 1 and none at rate 0", () => {
    const all = new ShadowTap({ rate: 1, send: async () => {}, onShed: () => {} });
    const none = new ShadowTap({ rate: 0, send: async () => {}, onShed: () => {} });
    assert.ok(ids(1000).every((id) => all.samples(id, "ann", 0) && !none.samples(id, "ann", 0)));
  });

  it("hashes into [0, 1) evenly, ids that differ in the last character only included", () => {
    const buckets = new Array<number>(10).fill(0);
    for (const id of ids(10_000)) {
      const hash = placeOf(id, "shadow");
      assert.ok(hash >= 0 && hash < 1);
      buckets[Math.floor(hash * 10)]++;
    }
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    assert.ok(chiSquare < 27.9, `chi-square of 9 degrees of freedom ${chiSquare} (p < .001)`);
  });

  it("sends what waits in batches, in order", async () => {
    const sent: string[][] = [];
    const tap = new ShadowTap({
      rate: 1,
      batchSize: 2,
      flushEveryMs: NEVER_BY_TIMER,
      send: async ({ requests }) => sent.push(idsOf(requests)),
      onShed: () => assert.fail("nothing is shed"),
    });
    for (const id of ["a", "b", "c", "d", "e"]) tap.offer(request(id));
    await tap.close();
    assert.deepEqual(sent, [["a", "b"], ["c", "d"], ["e"]]);
  });

  it("drops and counts when the ring is full, and keeps what it held", async () => {
    const shed: [string, number][] = [];
    const sent: string[] = [];
    const tap = new ShadowTap({
      rate: 1,
      capacity: 3,
      flushEveryMs: NEVER_BY_TIMER,
      send: async ({ requests }) => sent.push(...idsOf(requests)),
      onShed: (reason, requests) => shed.push([reason, requests]),
    });
    for (const id of ["a", "b", "c", "d", "e"]) tap.offer(request(id));
    assert.equal(tap.waiting, 3);
    await tap.close();
    assert.deepEqual(sent, ["a", "b", "c"]);
    assert.deepEqual(shed, [
      ["ring-full", 1],
      ["ring-full", 1],
    ]);
  });

  it("sheds a batch that the queue refuses, and carries on with later ones", async () => {
    const shed: [string, number][] = [];
    let refuse = true;
    const sent: [string[], number][] = [];
    const tap = new ShadowTap({
      rate: 1,
      flushEveryMs: NEVER_BY_TIMER,
      send: async ({ requests, shed: told }) => {
        if (refuse) throw full();
        sent.push([idsOf(requests), told]);
      },
      onShed: (reason, requests) => shed.push([reason, requests]),
    });
    tap.offer(request("a"));
    tap.offer(request("b"));
    await tap.flush();
    await tap.flush();
    refuse = false;
    tap.offer(request("c"));
    await tap.close();
    assert.deepEqual(shed, [["queue-full", 2]]);
    assert.deepEqual(sent, [[["c"], 2]]);
  });

  it("tells what it shed also when no request follows", async () => {
    let refuse = true;
    const told: [number, number][] = [];
    const tap = new ShadowTap({
      rate: 1,
      flushEveryMs: NEVER_BY_TIMER,
      send: async ({ requests, shed }) => {
        if (refuse) throw full();
        told.push([requests.length, shed]);
      },
      onShed: () => {},
    });
    tap.offer(request("a"));
    tap.offer(request("b"));
    await tap.flush();
    refuse = false;
    await tap.flush();
    await tap.close();
    assert.deepEqual(told, [[0, 2]]);
  });

  it("sends a batch of unknown fate again, the very same, before any other, and sheds nothing of it", async () => {
    const shed: [string, number][] = [];
    const sent: ShadowBatch[] = [];
    const answers = [new Error("no answer"), full(), null, null];
    const tap = new ShadowTap({
      rate: 1,
      capacity: 2,
      flushEveryMs: NEVER_BY_TIMER,
      send: async (batch) => {
        sent.push(batch);
        const error = answers.shift();
        if (error != null) throw error;
      },
      onShed: (reason, requests) => shed.push([reason, requests]),
    });
    tap.offer(request("a"));
    await tap.flush();
    for (const id of ["b", "c", "d"]) tap.offer(request(id));
    // That the queue is full now does not tell whether it took the batch before.
    await tap.flush();
    await tap.flush();
    assert.deepEqual(
      sent.map(({ requests, shed: told }) => [idsOf(requests), told]),
      [
        [["a"], 0],
        [["a"], 0],
        [["a"], 0],
        [["b", "c"], 1],
      ],
    );
    assert.equal(new Set(sent.slice(0, 3).map(({ id }) => id)).size, 1);
    assert.notEqual(sent[3].id, sent[0].id);
    assert.deepEqual(shed, [["queue-unavailable", 1]]);
    await tap.close();
  });

  it("numbers what it samples, so that each batch accounts for a stretch without a gap, whatever was shed", async () => {
    const sent: ShadowBatch[] = [];
    const answers = [null, full(), new Error("no answer"), null, null, null];
    const tap = new ShadowTap({
      rate: 1,
      capacity: 3,
      batchSize: 2,
      pauseMs: 0,
      flushEveryMs: NEVER_BY_TIMER,
      send: async (batch) => {
        sent.push(batch);
        const error = answers.shift();
        if (error != null) throw error;
      },
      onShed: () => {},
    });
    tap.offer(request("a"));
    await tap.flush();
    for (const id of ["b", "c", "d", "e"]) tap.offer(request(id));
    await tap.flush();
    await tap.flush();
    await tap.close();
    assert.deepEqual(
      sent.map(({ requests, shed, span: { from, through } }) => [idsOf(requests), shed, from, through]),
      [
        [["a"], 0, 0, 1],
        // Refused: what it held, and what the full ring had dropped, is the next one's to tell.
        [["b", "c"], 1, 1, 4],
        [["d"], 3, 1, 5],
        [["d"], 3, 1, 5],
      ],
    );
    for (const { requests, shed, span } of sent) {
      assert.equal(span.through - span.from, requests.length + shed);
    }
    assert.equal(new Set(sent.map(({ span }) => span.run)).size, 1);
  });

  it("stays within its bound while a send hangs", async () => {
    let release = (): void => {};
    const hung = new Promise<void>((resolve) => {
      release = resolve;
    });
    let shed = 0;
    const tap = new ShadowTap({
      rate: 1,
      capacity: 10,
      batchSize: 5,
      flushEveryMs: NEVER_BY_TIMER,
      send: () => hung,
      onShed: () => shed++,
    });
    for (const id of ids(5)) tap.offer(request(id));
    const flushing = tap.flush();
    for (const id of ids(1000)) tap.offer(request(id));
    assert.equal(tap.waiting, 10);
    assert.equal(shed, 990);
    release();
    await flushing;
    await tap.close();
  });
});
