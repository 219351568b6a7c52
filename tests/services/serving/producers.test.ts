import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { freePort } from "../../../deploy/processes/free-port.ts";
import { createProducers, type JobProducers } from "../../../services/queues/producers.ts";
import {
  QUEUES,
  type RetrainPayload,
  type ShadowBatch,
  type ShadowRequest,
} from "../../../services/queues/types.ts";
import { eventually } from "../../support/eventually.ts";
import { type PrivateRedis, startRedis } from "../../support/redis.ts";

const ORDER: RetrainPayload = { phase: 2, recipe: "item-knn", seed: 1, requestedBy: "tests" };

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

const batchOf = (requestId: string): ShadowBatch => ({
  id: requestId,
  requests: [sampled(requestId)],
  shed: 0,
  span: { run: "tests", from: 0, through: 1 },
});

describe("the job producers", () => {
  let redis: PrivateRedis;
  let producers: JobProducers;

  before(async () => {
    redis = await startRedis();
    producers = createProducers({ redisUrl: redis.url }, () => {});
  });
  after(async () => {
    await producers.close();
    await redis.stop();
  });

  it("makes one job of an order that is repeated while it waits, whoever asks", async () => {
    const first = await producers.addRetrain(ORDER, 1000);
    const second = await producers.addRetrain({ ...ORDER, requestedBy: "somebody else" }, 2000);
    const other = await producers.addRetrain({ ...ORDER, seed: 2 }, 2000);
    assert.equal(second, first);
    assert.notEqual(other, first);
    const queue = new Queue(QUEUES.training, { connection: { url: redis.url } });
    assert.equal(await queue.getWaitingCount(), 2);
    await queue.close();
  });

  it("makes one job of a batch that is sent twice", async () => {
    const batch = { ...batchOf("a"), id: "one", requests: [sampled("a"), sampled("b")] };
    const first = await producers.addShadow(batch);
    assert.equal(await producers.addShadow(batch), first);
    assert.notEqual(await producers.addShadow(batchOf("c")), first);
    const queue = new Queue(QUEUES.shadow, { connection: { url: redis.url } });
    const waiting = await queue.getJobs(["waiting"]);
    assert.equal(waiting.length, 2);
    assert.ok(waiting.some((job) => job.data.requests.length === 2));
    await queue.close();
  });

  it("takes so many batches that no worker fetches and no more, and again once there is room", async () => {
    const bounded = createProducers({ redisUrl: redis.url }, () => {}, { waitingBatches: 6 });
    const queue = new Queue(QUEUES.shadow, { connection: { url: redis.url } });
    let taken = await queue.getWaitingCount();
    assert.ok(taken > 0 && taken < 6);
    while (taken < 6) await bounded.addShadow(batchOf(`fill-${taken++}`));
    await assert.rejects(bounded.addShadow(batchOf("over")), { code: "OVERLOADED" });
    assert.equal(await queue.getWaitingCount(), 6);
    await queue.drain();
    await bounded.addShadow(batchOf("over"));
    assert.equal(await queue.getWaitingCount(), 1);
    await queue.close();
    await bounded.close();
  });

  it("bounds how long finished jobs are kept", async () => {
    const queue = new Queue(QUEUES.training, { connection: { url: redis.url } });
    for (const job of await queue.getJobs(["waiting"])) {
      for (const keep of [job.opts.removeOnComplete, job.opts.removeOnFail]) {
        assert.ok(typeof keep === "object" && "age" in keep && keep.count !== undefined);
      }
    }
    await queue.close();
  });

  it("shows a job by its id, and none for an unknown id", async () => {
    const jobId = await producers.addRetrain({ ...ORDER, seed: 3 }, 3000);
    const view = await producers.job(jobId);
    assert.deepEqual(view, {
      jobId,
      name: "retrain",
      state: "waiting",
      progress: null,
      result: null,
      failedReason: null,
      attempts: 0,
    });
    assert.equal(await producers.job("retrain-none"), null);
  });

  it("shows the progress that a worker reports", async () => {
    const jobId = await producers.addRetrain({ ...ORDER, seed: 4 }, 4000);
    const queue = new Queue(QUEUES.training, { connection: { url: redis.url } });
    const job = await queue.getJob(jobId);
    await job?.updateProgress({ fraction: 0.5, message: "epoch 8 of 16" });
    assert.deepEqual((await producers.job(jobId))?.progress, { fraction: 0.5, message: "epoch 8 of 16" });
    await queue.close();
  });

  it("refuses at once when Redis is stuck, and works again after", async () => {
    redis.pause();
    try {
      await assert.rejects(producers.addShadow(batchOf("d")), { code: "STORE_UNAVAILABLE" });
    } finally {
      redis.resume();
    }
    await eventually(() => producers.addShadow(batchOf("e")).then(Boolean, () => false));
  });

  it("refuses when Redis was never there, and nothing of it takes effect later", async () => {
    const port = await freePort();
    const orphan = createProducers({ redisUrl: `redis://127.0.0.1:${port}` }, () => {});
    await assert.rejects(orphan.addRetrain(ORDER, 1000), { code: "STORE_UNAVAILABLE" });
    await orphan.close();
  });
});
