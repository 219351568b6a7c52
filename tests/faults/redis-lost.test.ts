import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { apiClient } from "../../deploy/client/api-client.ts";
import { connectRedis } from "../../services/redis.ts";
import { type RedisRegistry, redisRegistry } from "../../services/registry/registry.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { Readiness } from "../../services/serving/routes/health.ts";
import { eventually } from "../support/eventually.ts";
import { type Running, type Service, startService } from "../support/service.ts";
import { raiseSmallLadder, type SmallLadder } from "../support/small-ladder.ts";

describe("F24: Redis comes back empty, or older than what a replica serves", () => {
  let service: Service;
  let redis: Redis;
  let registry: RedisRegistry;
  let ladder: SmallLadder;
  let api: Running & { readonly url: string };
  let other: Running & { readonly url: string };

  const status = async (url = api.url) => (await (await fetch(`${url}/readyz`)).json()) as Readiness;
  const serves = (version: string, url = api.url) =>
    eventually(async () => (await status(url)).model?.version === version, `${version} is served`);
  const saysLost = (what: RegExp, url = api.url) =>
    eventually(async () => what.test((await status(url)).why), `/readyz says ${what}`);
  const promote = async (version: string, expectedLive: string | null): Promise<LivePointer> => {
    const order = { expectedLive, reason: "a test", ...(expectedLive === null ? {} : { force: true }) };
    const client = apiClient(api.url, service.key);
    return (await client.post<{ live: LivePointer }>(`/models/${version}/promote`, order)).live;
  };
  /** Every key as it is now, to be put back later: what a restored backup is. */
  const backup = async (): Promise<() => Promise<void>> => {
    const raw = redis.duplicate({ keyPrefix: "" });
    const keys = await raw.keys("*");
    const values = await Promise.all(keys.map((key) => raw.dumpBuffer(key)));
    return async () => {
      try {
        await raw.flushall();
        for (const [at, key] of keys.entries()) {
          const value = values[at];
          // Null when it expired between the two looks.
          if (value !== null) await raw.restore(key, 0, value);
        }
      } finally {
        raw.disconnect();
      }
    };
  };

  before(async () => {
    service = await startService({});
    redis = connectRedis(service.config, "patient", () => {});
    registry = redisRegistry(redis);
    ladder = await raiseSmallLadder(service.home, registry);
    api = await service.startApi();
    other = await service.startApi();
    await serves(ladder.floor);
  });
  after(async () => {
    redis.disconnect();
    await service.stop();
  });

  it("older: each replica says so and serves what it has, after a restart too, and follows the next promotion", async () => {
    const restore = await backup();
    const first = await ladder.challenger();
    await promote(first, ladder.floor);
    for (const { url } of [api, other]) await serves(first, url);
    await restore();
    const words = new RegExp(`Redis has lost .*${ladder.floor} is live at epoch 1, and ${first} goes on`);
    for (const { url } of [api, other]) {
      await saysLost(words, url);
      assert.equal((await status(url)).model?.version, first);
    }
    await other.stop();
    other = await service.startApi();
    await saysLost(words, other.url);

    const second = await ladder.challenger();
    const live = await promote(second, ladder.floor);
    assert.equal(live.epoch, 2, "an epoch that both replicas had seen before");
    for (const { url } of [api, other]) {
      await serves(second, url);
      assert.equal((await status(url)).why, "a model is loaded");
    }
  });

  it("empty: each replica says so and serves what it has, and follows the first promotion of the new lineage", async () => {
    const had = (await registry.live()) as LivePointer;
    await redis.flushall();
    for (const { url } of [api, other]) {
      await saysLost(/Redis has lost .*nothing is live, and .* goes on/, url);
      const reply = await fetch(`${url}/recommend`);
      assert.equal(reply.status, 200);
    }
    const again = await raiseSmallLadder(service.home, registry);
    for (const { url } of [api, other]) await serves(again.floor, url);
    const live = (await registry.live()) as LivePointer;
    assert.equal(live.epoch, 1);
    assert.notEqual(live.lineage, had.lineage);
    const third = await again.challenger();
    await promote(third, again.floor);
    for (const { url } of [api, other]) await serves(third, url);
  });
});
