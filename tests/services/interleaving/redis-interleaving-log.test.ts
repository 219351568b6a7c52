import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { sampleOf } from "../../../models/gate/request-sample.ts";
import { redisInterleavingLog } from "../../../services/interleaving/redis-interleaving-log.ts";
import type { InterleavedList, InterleavingLog } from "../../../services/interleaving/types.ts";
import { eventually } from "../../support/eventually.ts";
import { redisSuite } from "../../support/redis-suite.ts";

describe("the interleaving log", () => {
  const suite = redisSuite();
  let log: InterleavingLog;
  before(async () => {
    log = redisInterleavingLog(suite.redis);
  });

  const open = {
    attemptId: "x~y~1",
    challenger: "x",
    baseline: "y",
    share: 0.05,
    budgetMs: 50,
    consecutiveFailures: 5,
    listsPerUser: 20,
  };
  const listOf = (userId: string, requestId: string): InterleavedList => ({
    requestId,
    userId,
    historyThrough: 3,
    items: ["f1", "f2"],
    teams: "cb",
  });

  it("holds one opening, and forgets it when nobody confirms it", async () => {
    assert.equal(await log.open(), null);
    await log.setOpen(open, 60_000);
    assert.deepEqual(await log.open(), open);
    await log.setOpen(null, 60_000);
    assert.equal(await log.open(), null);
    await log.setOpen(open, 20);
    await eventually(async () => (await log.open()) === null, "the opening expires");
  });

  it("keeps of a user's lists those with the smallest places, whenever they came, and every attempt's apart", async () => {
    const requests = Array.from({ length: 200 }, (_, place) => ({ requestId: `r${place}`, place }));
    let kept = 0;
    for (const { requestId, place } of requests) {
      const list = { ...listOf("anna", requestId), historyThrough: 7 + place };
      if (await log.remember("a", list, 20)) kept++;
    }
    await log.remember("a", listOf("bela", "other"), 20);
    const lists = (await log.lists("a")).filter(({ userId }) => userId === "anna");
    const sample = sampleOf(requests, 20);
    assert.deepEqual(
      new Set(lists.map(({ requestId }) => requestId)),
      new Set(sample.map(({ requestId }) => requestId)),
    );
    assert.ok(kept > 20 && kept < 200, `${kept} were kept for a while`);
    assert.ok(sample.some(({ place }) => place >= 100));
    assert.ok(
      lists.every(({ since }) => since === 7),
      "the window begins with the first of all",
    );
    assert.equal((await log.lists("a")).length, 21);
    assert.deepEqual(await log.lists("b"), []);
  });

  it("keeps a list once, however often it is sent", async () => {
    for (let twice = 0; twice < 2; twice++)
      assert.equal(await log.remember("c", listOf("anna", "r1"), 1), true);
    assert.equal((await log.lists("c")).length, 1);
  });

  it("reads the lists that earlier versions kept", async () => {
    await suite.redis.rpush("interleaving:d:lists", JSON.stringify(listOf("anna", "r1")));
    await log.remember("d", listOf("bela", "r2"), 2);
    assert.deepEqual(
      (await log.lists("d")).map(({ requestId }) => requestId),
      ["r1", "r2"],
    );
  });

  it("lets lists expire a month after the last one", async () => {
    for (const key of ["interleaving:a:held", "interleaving:a:places"]) {
      const seconds = await suite.redis.ttl(key);
      assert.ok(seconds > 29 * 86_400 && seconds <= 30 * 86_400, `${key}: ${seconds}`);
    }
  });

  it("enters each user once, in the order given", async () => {
    const credited = (userId: string, challenger: number) => ({
      userId,
      closedAt: 1,
      challenger,
      baseline: 0,
      historyLength: 0,
    });
    await log.enter("a", [credited("bela", 1), credited("anna", 2)]);
    await log.enter("a", [credited("anna", 9), credited("carl", 3)]);
    await log.enter("a", []);
    assert.deepEqual(
      (await log.users("a")).map(({ userId, challenger }) => [userId, challenger]),
      [
        ["bela", 1],
        ["anna", 2],
        ["carl", 3],
      ],
    );
    assert.deepEqual(await log.lists("a"), [], "their lists are let go");
    assert.equal(await log.remember("a", listOf("anna", "late"), 20), false);
  });

  it("sums the counts of all runs, each as last reported", async () => {
    assert.deepEqual(await log.counts("a"), { asked: 0, failures: 0, timeouts: 0 });
    await log.report("a", "run-1", { asked: 10, failures: 1, timeouts: 0 });
    await log.report("a", "run-1", { asked: 30, failures: 2, timeouts: 1 });
    await log.report("a", "run-2", { asked: 5, failures: 0, timeouts: 0 });
    assert.deepEqual(await log.counts("a"), { asked: 35, failures: 2, timeouts: 1 });
  });
});
