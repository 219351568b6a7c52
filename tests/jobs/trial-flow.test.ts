import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Job, Queue } from "bullmq";
import { prepareData } from "../../deploy/demo/prepare-data.ts";
import { openContext } from "../../jobs/context.ts";
import { type RetrainResult, retrain } from "../../jobs/retrain.ts";
import type { Manifest } from "../../models/manifest.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import { QUEUES, type RetrainPayload, TRAINING_JOBS } from "../../services/queues/types.ts";
import { eventually } from "../support/eventually.ts";
import { patiently } from "../support/patiently.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

/** A killed worker's trial runs again when its lock has run out and the next look for stalled jobs has come. */
const STALL_BOUND_MS = 60_000;
const ORDER: RetrainPayload = {
  phase: 3,
  recipe: "als",
  params: { epochs: 30 },
  tune: true,
  seed: 5,
  requestedBy: "tests",
};
const POLICY = { schedule: { judgeEverySeconds: 3600 }, training: { trials: 10 } };

/** An installation of its own, over the same data. */
async function installation(): Promise<{ service: Service; producers: JobProducers }> {
  const service = await startService(POLICY);
  const dataFolder = await writeSmallData(service.home, { users: 300, items: 200, events: 10_000 });
  await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
  return { service, producers: createProducers(service.config.redisUrl, () => {}) };
}

describe("a search whose trials are jobs", () => {
  const open: Awaited<ReturnType<typeof installation>>[] = [];
  let alone: Manifest;

  const start = async () => {
    const opened = await installation();
    open.push(opened);
    return opened;
  };
  const manifestOf = async ({ config }: Service, { version }: RetrainResult): Promise<Manifest> => {
    const context = await openContext({ ...config, logLevel: "silent" });
    try {
      return (await context.artifacts.manifest(version)).manifest;
    } finally {
      await context.close();
    }
  };
  const finished = async (producers: JobProducers, jobId: string): Promise<RetrainResult> => {
    await eventually(
      async () => {
        const job = await patiently(() => producers.job(jobId));
        assert.notEqual(job?.state, "failed", job?.failedReason ?? "");
        return job?.state === "completed";
      },
      "the retrain is finished",
      2 * STALL_BOUND_MS,
    );
    return (await patiently(() => producers.job(jobId)))?.result as RetrainResult;
  };
  const withoutTimes = ({ trials }: Manifest) => trials.map(({ seconds: _, ...trial }) => trial);
  const assertSame = (manifest: Manifest): void => {
    assert.equal(manifest.version, alone.version);
    assert.deepEqual(manifest.params, alone.params);
    assert.deepEqual(withoutTimes(manifest), withoutTimes(alone));
  };

  before(async () => {
    // No worker at all: the same search in one process.
    const { service } = await start();
    const context = await openContext({ ...service.config, logLevel: "silent" });
    const result = await retrain(context, ORDER);
    await context.close();
    alone = await manifestOf(service, result);
    assert.equal(alone.trials.length, 10);
  });
  after(async () => {
    for (const { service, producers } of open) {
      await producers.close();
      await service.stop();
    }
  });

  it("gives one worker the trials and parameters it gives a single process", {
    timeout: 180_000,
  }, async () => {
    const { service, producers } = await start();
    await service.startWorker();
    const jobId = await patiently(() => producers.addRetrain(ORDER, 0));
    assertSame(await manifestOf(service, await finished(producers, jobId)));
  });

  it("gives two workers the same", { timeout: 180_000 }, async () => {
    const { service, producers } = await start();
    await Promise.all([service.startWorker(), service.startWorker()]);
    const jobId = await patiently(() => producers.addRetrain(ORDER, 0));
    assertSame(await manifestOf(service, await finished(producers, jobId)));
  });

  it("ends in the same after every worker was killed -9 amid its trials", { timeout: 180_000 }, async () => {
    const { service, producers } = await start();
    const queue = new Queue(QUEUES.training, { connection: { url: service.config.redisUrl } });
    const doomed = await Promise.all([service.startWorker(), service.startWorker()]);
    const jobId = await patiently(() => producers.addRetrain(ORDER, 0));
    const activeTrials = async (): Promise<Job[]> =>
      (await queue.getActive()).filter(({ name }) => name === TRAINING_JOBS.trial);
    await eventually(async () => {
      const job = await patiently(() => producers.job(jobId));
      assert.notEqual(job?.state, "completed", "the search is too short for this test");
      if (!/trial [4-9] of 10/.test(job?.progress?.message ?? "")) return false;
      return (await activeTrials()).length > 0;
    }, "the first round is told, and a trial of the next is under way");
    for (const { process } of doomed) process.kill("SIGKILL");
    await service.startWorker();
    assertSame(await manifestOf(service, await finished(producers, jobId)));
    const trials = (await queue.getCompleted()).filter(({ name }) => name === TRAINING_JOBS.trial);
    assert.equal(trials.length, 10);
    // Started once each, but for those that were under way.
    assert.ok(trials.filter(({ attemptsStarted }) => attemptsStarted === 1).length >= 4);
    await queue.close();
  });
});
