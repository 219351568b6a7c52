import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { itemId, userId } from "../../models/data/ids.ts";
import { sealed } from "../../models/hash-chain.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { createProducers } from "../../services/queues/producers.ts";
import { QUEUES, type ShadowPayload, type ShadowRequest } from "../../services/queues/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { redisDecisionLog } from "../../services/registry/decisions.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import { ShadowTap } from "../../services/serving/shadow-tap.ts";
import { eventually } from "../support/eventually.ts";
import { manifestOf } from "../support/manifest.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { redisSuite } from "../support/redis-suite.ts";
import { startWire, type Wire } from "../support/wire.ts";

const sampled = (requestId: string): ShadowRequest => ({
  requestId,
  userId: "u1",
  historyThrough: 1,
  k: 10,
  exclude: [],
  liveVersion: "popularity-000000000000",
  served: ["f1"],
  at: 1,
});

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
  const suite = redisSuite();

  test("every change of the registry takes effect once, and its caller learns that it did", async () => {
    const registry = redisRegistry(resending(suite.redis));
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
    const log = redisEventLog(resending(suite.redis));
    const event = { eventId: "e1", userId: userId("ann"), itemId: itemId("i"), type: "watch", timestamp: 1 };
    await log.append([event], 1);
    assert.equal(await log.length(), 1);
    const entries = [{ itemId: itemId("j"), timestamp: 1, weight: 1 }];
    await log.replaceImported([{ userId: userId("ann"), entries }], "snapshot");
    assert.equal((await log.history(userId("ann"))).through, 2);
    const decisions = redisDecisionLog(resending(suite.redis));
    await decisions.append((previousSha256) => {
      const record = sealed({ challenger: "a", hearing: { about: "shadow" }, previousSha256 });
      return { id: `d-${record.sha256.slice(0, 16)}`, ...record };
    });
    assert.equal((await decisions.list()).length, 1);
    assert.equal(await decisions.verify(), null);
  });
});

describe("F4: the reply to a batch of the shadow is lost", () => {
  let server: PrivateRedis;
  let wire: Wire;
  let queue: Queue<ShadowPayload>;
  before(async () => {
    server = await startRedis();
    wire = await startWire(server.port);
    queue = new Queue<ShadowPayload>(QUEUES.shadow, { connection: { url: server.url } });
  });
  after(async () => {
    await queue.close();
    await wire.close();
    await server.stop();
  });

  test("each request is in the queue once, or counted as shed, never both", async () => {
    const producers = createProducers({ redisUrl: wire.url }, () => {});
    const capacity = 4;
    const tap = new ShadowTap({
      rate: 1,
      capacity,
      batchSize: 2,
      flushEveryMs: 1_000_000,
      send: (batch) => producers.addShadow(batch),
      onShed: () => {},
    });
    let offered = 0;
    const offer = (requests: number): void => {
      for (let count = 0; count < requests; count++) tap.offer(sampled(`request-${offered++}`));
    };
    const inQueue = async () => (await queue.getJobs(["waiting"])).map((job) => job.data);
    // The queue takes the batch, and its answer, the id of the job, is lost with the connection.
    let lost = 0;
    wire.onMessage = (message) => {
      if (!message.toString().startsWith("$") || !message.includes("shadow-")) return true;
      lost++;
      wire.cut();
      return false;
    };
    offer(2);
    await eventually(async () => {
      await tap.flush();
      return lost > 0;
    }, "the reply is lost");
    assert.equal((await inQueue()).length, 1);
    assert.equal(tap.waiting, 0);
    offer(capacity + 3);
    wire.onMessage = () => true;
    await eventually(async () => {
      await tap.flush();
      return tap.waiting === 0;
    }, "the ring is empty");
    await tap.close();

    const batches = await inQueue();
    const recorded = batches.flatMap(({ requests }) => requests.map(({ requestId }) => requestId));
    const shed = batches.reduce((sum, batch) => sum + batch.shed, 0);
    assert.equal(new Set(recorded).size, recorded.length, "none is there twice");
    assert.deepEqual([offered, recorded.length, shed], [9, 6, 3]);
    await producers.close();
  });
});

describe("F2: Redis restarts under a watcher", () => {
  test("the watcher hears of the next promotion, by message again, not only by its poll", async () => {
    const server = await startRedis(["--appendfsync", "always"]);
    const redis = connectRedis({ redisUrl: server.url }, "patient", () => {});
    const registry = redisRegistry(redis, { pollMs: 600_000 });
    await registry.register(manifestOf("floor", 1), "m", "test");
    await registry.promote({ version: "floor", expectedLive: null, reason: "first", actor: "test" });
    let heard: (live: LivePointer) => void = () => {};
    const watch = await registry.watchLive((live) => live !== null && heard(live));
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
