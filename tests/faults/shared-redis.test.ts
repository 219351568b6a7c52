import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import type { Installation } from "../../services/config.ts";
import { createProducers } from "../../services/queues/producers.ts";
import { connectRedis } from "../../services/redis.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

interface Shop {
  readonly service: Service;
  readonly url: string;
  readonly api: ApiClient;
}

describe("two installations on one Redis", () => {
  let redis: PrivateRedis;
  let raw: Redis;
  let shops: readonly Shop[];

  const open = async (prefix: string): Promise<Shop> => {
    const service = await startService({}, { shared: { redis, prefix } });
    await writeSmallData(service.home);
    const config = { ...service.config, dataFolder: `${service.home}/recorded` };
    await prepareData(config, { cut: null, say: () => {} });
    const [{ url }] = await Promise.all([service.startApi(), service.startWorker()]);
    return { service, url, api: apiClient(url, service.key) };
  };
  before(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url);
    shops = [await open("shoes"), await open("films")];
  });
  after(async () => {
    for (const { service } of shops) await service.stop();
    raw.disconnect();
    await redis.stop();
  });

  it("never see each other's versions, jobs, events or live model", async () => {
    const [shoes, films] = shops;
    const { jobId } = await shoes.api.post<{ jobId: string }>("/retrain", {
      phase: 1,
      recipe: "popularity",
    });
    const { version } = (await followJob(shoes.api, jobId)).result as RetrainResult;
    const asked = { expectedLive: null, reason: "the floor" };
    await shoes.api.post(`/models/${version}/promote`, asked);
    const event = { eventId: "1", userId: "new", itemId: "1", type: "rating", rating: 4 };
    await shoes.api.post("/feedback", { events: [event] });

    await assert.rejects(films.api.get(`/jobs/${jobId}`), { status: 404 });
    await assert.rejects(films.api.get(`/models/${version}`), { status: 404 });
    assert.equal((await fetch(`${films.url}/readyz`)).status, 503);
    // The same id with another body would be refused by one that had seen the first.
    await films.api.post("/feedback", { events: [{ ...event, itemId: "2" }] });
    assert.equal(await raw.xlen("{shoes}:events"), 1);
    assert.equal(await raw.xlen("{films}:events"), 1);
  });

  it("write no key and open no channel without their prefix", async () => {
    const names = [...(await raw.keys("*")), ...((await raw.pubsub("CHANNELS", "*")) as string[])];
    const strange = names.filter((name) => !name.startsWith("{shoes}:") && !name.startsWith("{films}:"));
    assert.deepEqual(strange, []);
    for (const key of ["{shoes}:registry:live", "{shoes}:bull:phasewise-training:meta"]) {
      assert.ok(names.includes(key), key);
    }
  });
});

describe("an installation without a prefix of its own", () => {
  it("keeps the keys and queues that it always had", async () => {
    const redis = await startRedis();
    const home: Installation = { redisUrl: redis.url };
    const client = connectRedis(home, "patient", () => {});
    const producers = createProducers(home, () => {});
    try {
      await client.set("registry:live", "x");
      await producers.addJudge({ kind: "judge", record: false }, 0);
      const raw = new Redis(redis.url);
      const keys = await raw.keys("*");
      raw.disconnect();
      assert.ok(keys.includes("{phasewise}:registry:live"), keys.join());
      assert.ok(keys.includes("bull:phasewise-upkeep:wait"), keys.join());
    } finally {
      await producers.close();
      client.disconnect();
      await redis.stop();
    }
  });
});
