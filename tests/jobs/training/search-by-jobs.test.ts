import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Job, Queue } from "bullmq";
import { prepareData } from "../../../deploy/data/prepare-data.ts";
import { openContext } from "../../../jobs/context.ts";
import { type RetrainResult, retrain } from "../../../jobs/training/retrain.ts";
import type { Manifest } from "../../../models/artifact/manifest.ts";
import { createProducers, type JobProducers } from "../../../services/queues/producers.ts";
import { QUEUES, type RetrainPayload, TRAINING_JOBS } from "../../../services/queues/types.ts";
import { eventually } from "../../support/eventually.ts";
import { FUSSY } from "../../support/fussy-recipe.ts";
import { patiently } from "../../support/patiently.ts";
import { type Service, startService } from "../../support/service.ts";
import { writeSmallData } from "../../support/small-data.ts";

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
const FUSSY_WORKER = fileURLToPath(new URL("../../support/fussy-worker.js", import.meta.url));
const POLICY = { schedule: { judgeEverySeconds: 3600 }, training: { trials: 10 } };

/** An installation of its own, over the same data. */
async function installation(): Promise<{ service: Service; producers: JobProducers }> {
  const service = await startService(POLICY);
  const dataFolder = await writeSmallData(service.home, { users: 300, items: 200, events: 10_000 });
  await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
  return { service, producers: createProducers(service.config, () => {}) };
}

/** Whether two finished jobs were at work at the same time. */
function overlap(one: Job, other: Job): boolean {
  return (one.processedOn ?? 0) < (other.finishedOn ?? 0) && (other.processedOn ?? 0) < (one.finishedOn ?? 0);
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
  const completedTrials = async ({ config }: Service): Promise<Job[]> => {
    const queue = new Queue(QUEUES.training, { connection: { url: config.redisUrl } });
    try {
      return (await queue.getCompleted()).filter(({ name }) => name === TRAINING_JOBS.trial);
    } finally {
      await queue.close();
    }
  };
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
    // Halved: more than ten, of which some were given a third of the epochs only, for the price of ten.
    assert.ok(alone.trials.length > 10);
    assert.deepEqual([...new Set(alone.trials.map(({ budget }) => budget))].sort(), [1 / 3, 1]);
    assert.ok(alone.trials.reduce((sum, { budget }) => sum + budget, 0) <= 10 + 1e-6);
    assert.ok(alone.choice !== undefined && alone.choice.why.length > 0);
  });
  after(async () => {
    for (const { service, producers } of open) {
      await producers.close();
      await service.stop();
    }
  });

  it("gives one worker with a single place the trials and parameters it gives a single process", {
    timeout: 180_000,
  }, async () => {
    const { service, producers } = await start();
    // The parent must leave it that place while it waits.
    await service.startWorker(undefined, { PHASEWISE_WORKER_CONCURRENCY: "1" });
    const jobId = await patiently(() => producers.addRetrain(ORDER, 0));
    assertSame(await manifestOf(service, await finished(producers, jobId)));
  });

  it("gives two workers the same, who are at trials at the same time, each at two", {
    timeout: 180_000,
  }, async () => {
    const { service, producers } = await start();
    await Promise.all([service.startWorker(), service.startWorker()]);
    const jobId = await patiently(() => producers.addRetrain(ORDER, 0));
    assertSame(await manifestOf(service, await finished(producers, jobId)));
    const trials = await completedTrials(service);
    const together = trials.flatMap((one) =>
      trials.filter((other) => other.id !== one.id && overlap(one, other)).map((other) => [one, other]),
    );
    const sameWorker = ([one, other]: Job[]): boolean => one.processedBy === other.processedBy;
    assert.equal(new Set(trials.map(({ processedBy }) => processedBy)).size, 2);
    assert.ok(together.some(sameWorker), "one worker was at two trials at once");
    assert.ok(!together.every(sameWorker), "both workers were at trials at once");
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
      if (!/trial ([4-9]|1\d), .* of 10 full ones/.test(job?.progress?.message ?? "")) return false;
      return (await activeTrials()).length > 0;
    }, "the first round is told, and a trial of the next is under way");
    for (const { process } of doomed) process.kill("SIGKILL");
    await service.startWorker();
    assertSame(await manifestOf(service, await finished(producers, jobId)));
    const trials = await completedTrials(service);
    assert.equal(trials.length, alone.trials.length);
    // Started once each, but for those that were under way.
    assert.ok(trials.filter(({ attemptsStarted }) => attemptsStarted === 1).length >= 4);
    await queue.close();
  });

  it("keeps trials that throw, score no number or end their process, and goes on without them", {
    timeout: 180_000,
  }, async () => {
    const { service, producers } = await start();
    await service.startWorker(FUSSY_WORKER);
    // With this seed all of its moods are tried.
    const order = { ...ORDER, phase: 2, recipe: FUSSY, params: {}, seed: 8 } as const;
    const jobId = await patiently(() => producers.addRetrain(order, 0));
    const { trials, choice, params } = await manifestOf(service, await finished(producers, jobId));
    assert.equal(trials.length, 10);
    const saying: Readonly<Record<string, RegExp | undefined>> = {
      well: undefined,
      throws: /^fussy: expected another mood$/,
      "no-number": /expected finite scores, got NaN/,
      dies: /Unexpected exit code: null signal: SIGKILL/,
    };
    assert.deepEqual(
      [...new Set(trials.map((trial) => String(trial.params.mood)))].sort(),
      Object.keys(saying).sort(),
    );
    for (const trial of trials) {
      const expected = saying[String(trial.params.mood)];
      if (expected === undefined) assert.ok(trial.failure === undefined && trial.score > 0);
      else assert.match(trial.failure ?? "", expected);
    }
    assert.equal(params.mood, "well");
    assert.equal(choice?.took, "start");
  });

  it("fails with the reason when no trial at all can be fitted", { timeout: 180_000 }, async () => {
    const { service, producers } = await start();
    await service.startWorker(FUSSY_WORKER);
    const order = { ...ORDER, phase: 2, recipe: FUSSY, params: { mood: "throws" } } as const;
    const jobId = await patiently(() => producers.addRetrain(order, 0));
    await eventually(
      async () => (await patiently(() => producers.job(jobId)))?.state === "failed",
      "the retrain has failed",
      STALL_BOUND_MS,
    );
    const job = await patiently(() => producers.job(jobId));
    assert.match(job?.failedReason ?? "", /all 10 failed, the first with: fussy: expected another mood/);
  });
});
