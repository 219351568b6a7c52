import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
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

  it("keeps a user's first lists only, and every attempt's apart", async () => {
    const kept = [];
    for (const id of ["r1", "r2", "r3"]) kept.push(await log.remember("a", listOf("anna", id), 2));
    kept.push(await log.remember("a", listOf("bela", "r4"), 2));
    assert.deepEqual(kept, [true, true, false, true]);
    const ids = (await log.lists("a")).map(({ requestId }) => requestId);
    assert.deepEqual(ids, ["r1", "r2", "r4"]);
    assert.deepEqual(await log.lists("b"), []);
  });

  it("lets lists expire a month after the last one", async () => {
    for (const key of ["interleaving:a:lists", "interleaving:a:per-user"]) {
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
  });

  it("sums the counts of all runs, each as last reported", async () => {
    assert.deepEqual(await log.counts("a"), { asked: 0, failures: 0, timeouts: 0 });
    await log.report("a", "run-1", { asked: 10, failures: 1, timeouts: 0 });
    await log.report("a", "run-1", { asked: 30, failures: 2, timeouts: 1 });
    await log.report("a", "run-2", { asked: 5, failures: 0, timeouts: 0 });
    assert.deepEqual(await log.counts("a"), { asked: 35, failures: 2, timeouts: 1 });
  });
});
