import { realpathSync } from "node:fs";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { type Job, Worker } from "bullmq";
import closeWithGrace from "close-with-grace";
import { environmentOfChild, loadConfig } from "../services/config.ts";
import { stopWithParent } from "../services/end-with-parent.ts";
import { exitUnlessFit } from "../services/health/require-redis.ts";
import { watchSurroundings } from "../services/health/surroundings.ts";
import { keepBeating } from "../services/health/worker-hearts.ts";
import { createProducers } from "../services/queues/producers.ts";
import {
  type AnalysisPayload,
  QUEUES,
  type RetrainPayload,
  type ShadowPayload,
  type UpkeepPayload,
} from "../services/queues/types.ts";
import { connectRedis, queuePrefixOf } from "../services/redis.ts";
import { endsWithin } from "../services/waiting.ts";
import { ChildWorker } from "./child-worker.ts";
import { openContext } from "./context.ts";
import { judge } from "./judging/judge.ts";
import { Lanes } from "./shadow/lanes.ts";
import { shadow } from "./shadow/shadow.ts";
import { compact } from "./upkeep/compact.ts";
import { drift } from "./upkeep/drift.ts";
import { erase } from "./upkeep/erase.ts";
import { refresh } from "./upkeep/refresh.ts";
import { scheduleUpkeep } from "./upkeep/schedule.ts";

/** A worker that dies is noticed within this time and its job runs again elsewhere. */
const LOCK_DURATION_MS = 10_000;
const STALLED_INTERVAL_MS = 5_000;
/** Longest a shutdown waits for running jobs before it leaves them to be retried. */
const CLOSE_TIMEOUT_MS = 8_000;

/** Names this worker, in the jobs that it takes and wherever it reports. */
const NAME = `${hostname()}:${process.pid}`;

export interface WorkerOptions {
  /** Module that a shadow lane's thread runs (default: the service's own). */
  readonly laneEntry?: URL | undefined;
  /** Module that a training's child process runs (default: the service's own). */
  readonly trainingEntry?: URL | undefined;
}

/** Runs jobs until it is told to stop: training in child processes, shadow scoring in lanes, upkeep here. */
export async function startWorker(given: WorkerOptions = {}): Promise<{ close(): Promise<void> }> {
  const context = await openContext();
  const { config, log, policy } = context;
  const lanes = new Lanes({
    source: context,
    timeoutMs: policy.shadow.timeoutMs,
    heapMb: policy.guardrails.memoryMb,
    consecutiveFaults: policy.shadow.consecutiveFaults,
    entry: given.laneEntry,
    allowedOrigins: policy.remote.allowedOrigins,
  });
  const options = {
    // Written into each job that it takes.
    name: NAME,
    connection: { url: config.redisUrl, maxRetriesPerRequest: null },
    prefix: queuePrefixOf(config),
    lockDuration: LOCK_DURATION_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: 3,
  };
  const inChild = { ...options, workerForkOptions: { env: environmentOfChild() } };

  const training = new ChildWorker<RetrainPayload>(
    QUEUES.training,
    given.trainingEntry ?? new URL("./training/training-process.js", import.meta.url),
    { ...inChild, concurrency: config.workerConcurrency },
  );
  const shadowing = new Worker<ShadowPayload>(
    QUEUES.shadow,
    (job) => shadow({ ...context, lanes, limits: policy.shadow }, job.data, job.id ?? ""),
    { ...options, concurrency: 1 },
  );
  const upkeep = new Worker<UpkeepPayload>(QUEUES.upkeep, (job) => runUpkeep(job), {
    ...options,
    concurrency: 1,
  });
  const analysis = new ChildWorker<AnalysisPayload>(
    QUEUES.analysis,
    new URL("./analysis/analysis-process.js", import.meta.url),
    { ...inChild, concurrency: 1 },
  );
  const producers = createProducers(config, (error) =>
    log.warn({ error: error.message }, "producers: redis trouble"),
  );
  const runUpkeep = (job: Job<UpkeepPayload>): Promise<unknown> => {
    const { data } = job;
    switch (data.kind) {
      case "erase":
        return erase(context, data.userId).then(async (done) => {
          await job.updateData({ kind: "erase", userId: "" });
          return done;
        });
      case "judge":
        return judge(context, data);
      case "compact":
        return compact(context);
      case "drift":
        return drift(context, producers);
      case "refresh":
        return refresh(context, producers);
    }
  };

  const workers = [training, shadowing, upkeep, analysis];
  for (const worker of workers) {
    worker.on("error", (error) =>
      log.warn({ queue: worker.name, error: error.message }, "worker: redis trouble"),
    );
    worker.on("failed", (job, error) =>
      log.error({ queue: worker.name, jobId: job?.id, error: error.message }, "job failed"),
    );
    worker.on("completed", (job) => log.info({ queue: worker.name, jobId: job.id }, "job completed"));
    // Its lock is lost, so another worker may run it: stop burning CPU on a result that would be discarded.
    worker.on("lockRenewalFailed", (jobIds) => {
      for (const jobId of jobIds) worker.cancelJob(jobId, "its lock could not be renewed");
    });
  }
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const scheduled = await scheduleUpkeep(config, policy);
  const redis = connectRedis(config, "deliberate", () => {});
  const heart = keepBeating(redis, NAME);
  const surroundings = watchSurroundings({
    installation: config,
    redis,
    onChange: (problems) => log.warn({ problems }, "what the worker stands on"),
  });
  log.info({ concurrency: config.workerConcurrency }, "worker ready");

  return {
    close: async () => {
      await scheduled.close();
      const gently = Promise.all(workers.map((worker) => worker.close()));
      if (!(await endsWithin(CLOSE_TIMEOUT_MS, gently))) {
        await Promise.all(workers.map((worker) => worker.close(true)));
      }
      await producers.close();
      await lanes.close();
      await endsWithin(1_000, Promise.all([heart.stop(), surroundings.close()]));
      redis.disconnect();
      await context.close();
    },
  };
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  stopWithParent();
  await exitUnlessFit(loadConfig());
  const worker = await startWorker();
  closeWithGrace({ delay: CLOSE_TIMEOUT_MS + 2_000 }, () => worker.close());
}
