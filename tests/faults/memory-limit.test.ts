import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { itemId, userId } from "../../models/data/ids.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { manifestOf } from "../support/manifest.ts";
import { startRedis } from "../support/redis.ts";
import { redisSuite } from "../support/redis-suite.ts";

describe("F3: Redis is at its memory limit", () => {
  const suite = redisSuite();

  test("a rollback works, on a server that never saw the script; feedback is refused whole and stays readable", async () => {
    const registry = redisRegistry(suite.redis);
    const log = redisEventLog(suite.redis);
    const event = (n: number) => ({
      eventId: `e${n}`,
      userId: userId("ann"),
      itemId: itemId(`i${n}`),
      type: "watch",
      timestamp: n,
    });
    const ask = { reason: "a test", actor: "test", force: true };
    await registry.register(manifestOf("floor", 1), "m", "test");
    await registry.register(manifestOf("a"), "m", "test");
    await registry.promote({ ...ask, version: "floor", expectedLive: null });
    await registry.promote({ ...ask, version: "a", expectedLive: "floor" });
    await log.append([event(1)], 1);
    await suite.redis.script("FLUSH");
    await suite.redis.config("SET", "maxmemory", "1");
    await assert.rejects(suite.redis.set("x", "y"), /OOM/);

    await assert.rejects(log.append([event(2), event(3)], 2), { code: "STORE_UNAVAILABLE", statusCode: 503 });
    assert.equal((await log.history(userId("ann"))).through, 1);
    assert.equal(await log.length(), 1);

    const { live, changed } = await registry.rollback({
      expectedLive: "a",
      reason: "it fails",
      actor: "watch",
      automatic: true,
    });
    assert.equal(changed, true);
    assert.equal(live.version, "floor");
    assert.deepEqual(await registry.live(), live);
    assert.equal((await registry.version("a"))?.state, "QUARANTINED");
    assert.equal(await registry.verifyAudit(), null);

    await suite.redis.config("SET", "maxmemory", "0");
    assert.deepEqual(await log.append([event(2), event(3)], 2), { accepted: 2, duplicates: 0 });
  });
});

describe("F1: Redis is stuck or gone", () => {
  test("every store call fails as STORE_UNAVAILABLE, and works again when Redis is back", async () => {
    const server = await startRedis();
    const redis = connectRedis({ redisUrl: server.url }, "fail-fast", () => {});
    try {
      await new Promise((resolve) => redis.once("ready", resolve));
      const registry = redisRegistry(redis);
      const log = redisEventLog(redis);
      const user = userId("ann");
      const event = { eventId: "e1", userId: user, itemId: itemId("i"), type: "watch", timestamp: 1 };
      const calls: (() => Promise<unknown>)[] = [
        () => registry.live(),
        () => registry.versions(),
        () => registry.register(manifestOf("a"), "m", "test"),
        () => registry.audit(),
        () => registry.verifyAudit(),
        () => log.append([event], 1),
        () => log.history(user),
        () => log.histories([user]),
        () => log.read("0", 1),
        () => log.length(),
      ];
      const allFail = async (): Promise<void> => {
        for (const call of calls) await assert.rejects(call(), { code: "STORE_UNAVAILABLE" }, String(call));
      };
      server.pause();
      await allFail();
      server.resume();
      await server.kill();
      await allFail();
      const ready = new Promise((resolve) => redis.once("ready", resolve));
      await server.restart();
      await ready;
      for (const call of calls) await call();
      // The append that timed out while Redis was stuck may have landed: the event counts once all the same.
      assert.equal((await log.history(user)).through, 1);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
});
