import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { itemId, userId } from "../../models/data/ids.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { connectRedis } from "../../services/redis.ts";
import { redisDecisionLog } from "../../services/registry/decisions.ts";
import { sealed } from "../../services/registry/hash-chain.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import { manifestOf } from "../support/manifest.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";

/** The client as it behaves when every first reply is lost: each script is sent twice, the second reply counts. */
function resending(redis: Redis): Redis {
  const twice =
    (send: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      await send.apply(redis, args);
      return send.apply(redis, args);
    };
  return new Proxy(redis, {
    get: (client, name) => {
      const member: unknown = Reflect.get(client, name);
      if (typeof member !== "function") return member;
      return name === "eval" || name === "evalsha" ? twice(member as never) : member.bind(client);
    },
  });
}

describe("F4: replies are lost and scripts are sent again", () => {
  let server: PrivateRedis;
  let redis: Redis;
  before(async () => {
    server = await startRedis();
    redis = connectRedis(server.url, "patient", () => {});
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  test("every change of the registry takes effect once, and its caller learns that it did", async () => {
    const registry = redisRegistry(resending(redis));
    await registry.register(manifestOf("floor", 1), "m", "test");
    await registry.promote({ version: "floor", expectedLive: null, reason: "first", actor: "test" });
    await registry.register(manifestOf("a"), "m", "test");
    await registry.transition("a", ["REGISTERED"], "SCREENED", "r", "test");
    await registry.transition("a", ["SCREENED"], "SHADOWING", "r", "test");
    await registry.transition("a", ["SHADOWING"], "ELIGIBLE", "r", "test");
    const live = await registry.promote({ version: "a", expectedLive: "floor", reason: "r", actor: "test" });
    assert.equal(live.epoch, 2);
    const { changed } = await registry.rollback({ expectedLive: "a", reason: "r", actor: "test" });
    assert.equal(changed, true);
    assert.equal((await registry.live())?.epoch, 3);
    assert.equal((await registry.audit()).length, 8);
    assert.equal(await registry.attemptIndex("a"), 1);
    assert.equal(await registry.verifyAudit(), null);
  });

  test("events and decisions are kept once", async () => {
    const log = redisEventLog(resending(redis));
    const event = { eventId: "e1", userId: userId("ann"), itemId: itemId("i"), type: "watch", timestamp: 1 };
    await log.append([event], 1);
    assert.equal(await log.length(), 1);
    await log.seed([[event]], "snapshot");
    assert.equal((await log.history(userId("ann"))).through, 2);
    const decisions = redisDecisionLog(resending(redis));
    await decisions.append((previousSha256) => {
      const record = sealed({ challenger: "a", previousSha256 });
      return { id: `d-${record.sha256.slice(0, 16)}`, ...record };
    });
    assert.equal((await decisions.list()).length, 1);
    assert.equal(await decisions.verify(), null);
  });
});

describe("F2: Redis restarts under a watcher", () => {
  test("the watcher hears of the next promotion, by message again, not only by its poll", async () => {
    const server = await startRedis(["--appendfsync", "always"]);
    const redis = connectRedis(server.url, "patient", () => {});
    const registry = redisRegistry(redis, { pollMs: 600_000 });
    await registry.register(manifestOf("floor", 1), "m", "test");
    await registry.promote({ version: "floor", expectedLive: null, reason: "first", actor: "test" });
    let heard: (live: LivePointer) => void = () => {};
    const watch = await registry.watchLive((live) => heard(live));
    try {
      await server.kill();
      await server.restart();
      // Subscribed again once somebody listens on the channel.
      const channel = "{phasewise}:registry:live-changed";
      while (((await redis.pubsub("NUMSUB", channel)) as [string, number])[1] === 0) await redis.ping();
      const changed = new Promise<LivePointer>((resolve) => {
        heard = resolve;
      });
      await registry.register(manifestOf("a"), "m", "test");
      const ask = { expectedLive: "floor", reason: "r", actor: "test", force: true };
      const live = await registry.promote({ ...ask, version: "a" });
      assert.deepEqual(await changed, live);
    } finally {
      await watch.close();
      redis.disconnect();
      await server.stop();
    }
  });
});
