import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { seededRandom, shuffle } from "../../../models/data/random.ts";
import { type BatchLedger, redisBatchLedger } from "../../../services/shadow/batch-ledger.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const LATER = 1_000_000;

describe("the ledger of shadow batches", () => {
  const suite = redisSuite();
  let ledger: BatchLedger;
  beforeEach(async () => {
    await suite.redis.flushall();
    ledger = redisBatchLedger(suite.redis);
  });

  const settle = (from: number, through: number, { ids = ["a"], run = "r", now = 1000 } = {}) =>
    ledger.settle({ run, from, through }, ids, now);

  it("misses nothing of batches that came in any order, however often, and stays small", async () => {
    const order = shuffle(
      Uint32Array.from({ length: 40 }, (_, batch) => batch),
      seededRandom(4),
    );
    await settle(0, 5);
    for (const batch of [...order, ...order]) await settle(batch * 5, batch * 5 + 5);
    assert.equal(await ledger.lost("a", LATER), 0);
    assert.deepEqual(await suite.redis.hgetall("shadow:run:r"), { 0: "200 1000" });
  });

  it("misses a batch that later ones overtook, until it comes", async () => {
    await settle(0, 10);
    await settle(13, 20, { now: 2000 });
    await settle(25, 30, { now: 3000 });
    assert.equal(await ledger.lost("a", 1999), 0, "it may still be under way");
    assert.equal(await ledger.lost("a", 2000), 3);
    assert.equal(await ledger.lost("a", 3000), 8);
    await settle(10, 13, { now: 4000 });
    assert.equal(await ledger.lost("a", LATER), 5);
  });

  it("asks a comparison only for what came after its own first batch, of each replica apart", async () => {
    await settle(0, 10);
    await settle(20, 30, { ids: ["a", "b"] });
    await settle(35, 40, { ids: ["a", "b"] });
    await settle(7, 9, { ids: ["b"], run: "s" });
    await settle(10, 12, { ids: ["b"], run: "s" });
    assert.equal(await ledger.lost("a", LATER), 15);
    assert.equal(await ledger.lost("b", LATER), 6);
    assert.equal(await ledger.lost("never opened", LATER), 0);
  });

  it("does not miss in one comparison what was worked off before it began", async () => {
    await settle(10, 20, { ids: [] });
    await settle(0, 10, { ids: ["late"] });
    await settle(20, 30, { ids: ["late"] });
    assert.equal(await ledger.lost("late", LATER), 0);
  });
});
