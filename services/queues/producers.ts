import { createHash, randomUUID } from "node:crypto";
import { type Job, type JobsOptions, Queue } from "bullmq";
import { DEFAULT_POLICY, type Policy } from "../../models/gate/policy.ts";
import type { Installation } from "../config.ts";
import { PhasewiseError } from "../errors.ts";
import { connectForQueues, queuePrefixOf } from "../redis.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { endsWithin, inTime } from "../waiting.ts";
import { cancel } from "./cancel.ts";
import {
  type AnalysisPayload,
  type JobState,
  type JobView,
  type JudgePayload,
  QUEUES,
  type RetrainPayload,
  type ShadowBatch,
  type ShadowPayload,
  type UpkeepPayload,
} from "./types.ts";

/** What a request may ask of the queues. Every call ends within seconds: none waits for Redis to come back. */
export interface JobProducers {
  /** Resolves to the id of the job; the same payload twice while the first still waits or runs is one job. */
  addRetrain(payload: RetrainPayload, now: number): Promise<string>;
  /** Explains a version; the same asked twice while the first still waits or runs is one job. */
  addAnalysis(payload: AnalysisPayload, now: number): Promise<string>;
  /**
   * The same batch twice is one job. It may hold no request: it then only says how many were shed.
   * @throws OVERLOADED when too many wait already: nothing was kept. After any other error the batch may have been
   *   kept: send it again
   */
  addShadow(batch: ShadowBatch): Promise<string>;
  /** A look at the running shadow comparisons, now. */
  addJudge(payload: JudgePayload, now: number): Promise<string>;
  /** Removes every trace of a user. */
  addErase(userId: string): Promise<string>;
  /** Jobs that wait or run. */
  pending(): Promise<Readonly<Record<keyof typeof QUEUES, number>>>;
  job(jobId: string): Promise<JobView | null>;
  /** Takes a job that waits out of its queue, with its trials. @throws NOT_FOUND, and CONFLICT as `cancel` */
  cancel(jobId: string): Promise<void>;
  close(): Promise<void>;
}

const DAY_SECONDS = 86_400;

const RETRAIN: JobsOptions = {
  attempts: 3,
  backoff: { type: "exponential", delay: 1000 },
  removeOnComplete: { age: 30 * DAY_SECONDS, count: 500 },
  removeOnFail: { age: 30 * DAY_SECONDS, count: 500 },
};

const SHADOW: JobsOptions = {
  attempts: 3,
  backoff: { type: "exponential", delay: 500 },
  removeOnComplete: { age: 3600, count: 1000 },
  removeOnFail: { age: 7 * DAY_SECONDS, count: 1000 },
};

/**
 * Longest a producer waits for Redis, milliseconds: what is ordered is worth a wait, and batches are sent beside
 * requests.
 */
const TIMEOUT_MS = 2000;
/** Longest that closing waits for a Redis that does not answer, milliseconds. */
const CLOSE_TIMEOUT_MS = 500;

export function createProducers(
  installation: Installation,
  onError: (error: Error) => void,
  /**
   * Without a worker the queue would grow until Redis is full, and feedback be refused for the sake of the shadow.
   * Each replica counts by itself, so the limit may be exceeded by one batch a replica.
   */
  { waitingBatches }: Pick<Policy["shadow"], "waitingBatches"> = DEFAULT_POLICY.shadow,
): JobProducers {
  const redis = connectForQueues(installation, "deliberate", onError);
  const open = <Payload>(name: string): Queue<Payload> => {
    // Without the version check BullMQ sends nothing before the first job: a slow first answer would otherwise
    // break the queue for good. The worker checks the version.
    const queue = new Queue<Payload>(name, {
      connection: redis,
      prefix: queuePrefixOf(installation),
      skipVersionCheck: true,
    });
    queue.on("error", onError);
    return queue;
  };
  const training = open<RetrainPayload>(QUEUES.training);
  const shadow = open<ShadowPayload>(QUEUES.shadow);
  const upkeep = open<UpkeepPayload>(QUEUES.upkeep);
  const analysis = open<AnalysisPayload>(QUEUES.analysis);
  const queues: readonly Queue[] = [training, shadow, upkeep, analysis];
  // BullMQ waits for its first connection whatever the options; nothing is handed to it before, so that a call
  // that timed out cannot take effect once Redis appears. From then on an absent Redis fails commands at once.
  const connected = Promise.all(queues.map((queue) => queue.waitUntilReady()));
  connected.catch(onError);
  const answered = within(connected, fromStore);
  const changed = within(connected, toStore);
  const find = async (jobId: string): Promise<Job | null> => {
    for (const queue of queues) {
      const job: Job | undefined = await queue.getJob(jobId);
      if (job !== undefined) return job;
    }
    return null;
  };

  return {
    addRetrain: (payload, now) =>
      changed("add a retrain job", async () => {
        const { requestedBy: _, reason: __, ...work } = payload;
        const jobId = `retrain-${payload.recipe}-${digest([work, now])}`;
        const deduplication = { id: digest(work) };
        const job = await training.add("retrain", payload, { ...RETRAIN, jobId, deduplication });
        return job.id ?? jobId;
      }),
    addAnalysis: (payload, now) =>
      changed("add an analysis job", async () => {
        const jobId = `analysis-${payload.version}-${digest([payload, now])}`;
        const deduplication = { id: payload.version };
        const job = await analysis.add("analysis", payload, { ...RETRAIN, jobId, deduplication });
        return job.id ?? jobId;
      }),
    addShadow: ({ id, ...payload }) =>
      changed("add a shadow job", async () => {
        const waiting = await shadow.getWaitingCount();
        if (waiting >= waitingBatches) {
          throw new PhasewiseError(
            "OVERLOADED",
            `add a shadow job: expected fewer than ${waitingBatches} batches to wait, got ${waiting}; start a worker (phasewise work)`,
          );
        }
        const jobId = `shadow-${id}`;
        await shadow.add("shadow", payload, { ...SHADOW, jobId });
        return jobId;
      }),
    addJudge: (payload, now) =>
      changed("add a judge job", async () => {
        const jobId = `judge-${digest([payload, now])}`;
        await upkeep.add("judge", payload, { ...SHADOW, jobId });
        return jobId;
      }),
    addErase: (userId) =>
      changed("add an erase job", async () => {
        // Not by a digest of the user: that would be a trace.
        const jobId = `erase-${randomUUID()}`;
        await upkeep.add("erase", { kind: "erase", userId }, { ...SHADOW, jobId });
        return jobId;
      }),
    pending: () =>
      answered("count jobs", async () => {
        const count = (queue: Queue): Promise<number> =>
          queue.getJobCountByTypes("waiting", "active", "prioritized");
        const [inTraining, inShadow, inUpkeep, inAnalysis] = await Promise.all(
          [training, shadow, upkeep, analysis].map(count),
        );
        return { training: inTraining, shadow: inShadow, upkeep: inUpkeep, analysis: inAnalysis };
      }),
    job: (jobId) =>
      answered("look up a job", async () => {
        for (const queue of queues) {
          // The state first: a job that had ended by then has its result when it is read.
          const state = await queue.getJobState(jobId);
          const job: Job | undefined = state === "unknown" ? undefined : await queue.getJob(jobId);
          if (job !== undefined) return viewOf(job, state);
        }
        return null;
      }),
    cancel: (jobId) =>
      changed("cancel a job", async () => {
        const job = await find(jobId);
        if (job === null) throw unknownJob(jobId);
        await cancel(job);
      }),
    close: async () => {
      // The connection is ours: dropping it ends whatever BullMQ still waits for.
      const closed = Promise.allSettled(queues.map((queue) => queue.close()));
      await endsWithin(CLOSE_TIMEOUT_MS, closed);
      redis.disconnect();
    },
  };
}

/** A write that timed out may still land: ids are deterministic, so that asking again is safe. */
function within(connected: Promise<unknown>, heard: typeof fromStore) {
  return <T>(attempt: string, work: () => Promise<T>): Promise<T> => {
    const steps = async (signal: AbortSignal): Promise<T> => {
      await fromStore(attempt, connected);
      signal.throwIfAborted();
      return await heard(attempt, work());
    };
    const message = `${attempt}: expected Redis to answer within ${TIMEOUT_MS} ms; try again in a moment`;
    return inTime(TIMEOUT_MS, steps, () => new PhasewiseError("STORE_UNAVAILABLE", message));
  };
}

export function unknownJob(jobId: string): PhasewiseError {
  return new PhasewiseError("NOT_FOUND", `id: expected the id of a known job, got "${jobId}"`, {
    field: "id",
  });
}

function viewOf(job: Job, state: string): JobView {
  return {
    jobId: job.id ?? "",
    name: job.name,
    state: stateOf(state),
    progress: progressOf(job.progress),
    result: job.returnvalue ?? null,
    failedReason: job.failedReason ?? null,
    attempts: job.attemptsMade,
  };
}

function stateOf(state: string): JobState {
  switch (state) {
    case "active":
    case "completed":
    case "failed":
    case "delayed":
    case "waiting":
      return state;
    case "prioritized":
    case "waiting-children":
      return "waiting";
    default:
      return "unknown";
  }
}

function progressOf(progress: unknown): JobView["progress"] {
  if (typeof progress !== "object" || progress === null) return null;
  const { fraction, message } = progress as Record<string, unknown>;
  return typeof fraction === "number" && typeof message === "string" ? { fraction, message } : null;
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
