import { createHash } from "node:crypto";
import { type JobsOptions, Queue } from "bullmq";
import { canonicalJson } from "../../models/canonical-json.ts";
import type { Installation } from "../config.ts";
import { queueOptions } from "../redis.ts";
import { QUEUES, TRAINING_JOBS, type TrialPayload } from "./types.ts";

/** A trial whose process dies every time is a failed trial, and no reason to end the search. */
const TRIAL: JobsOptions = {
  attempts: 3,
  backoff: { type: "exponential", delay: 500 },
  ignoreDependencyOnFailure: true,
  removeOnComplete: { age: 86_400, count: 2000 },
  removeOnFail: { age: 7 * 86_400, count: 500 },
};

/** The retrain that trials belong to. */
export interface TrialParent {
  readonly id: string;
  /** Its queue's name with BullMQ's prefix. */
  readonly queue: string;
}

/** The same trial of the same parent is the same job, however often it is asked for. */
export function trialId(parent: string, trial: TrialPayload): string {
  const digest = createHash("sha256")
    .update(canonicalJson([parent, trial]))
    .digest("hex")
    .slice(0, 16);
  return `trial-${trial.recipe}-${trial.place}-${digest}`;
}

/** What BullMQ files a trial under in its parent's results. */
export function trialKey({ id, queue }: TrialParent, trial: TrialPayload): string {
  return `${queue}:${trialId(id, trial)}`;
}

/** Adds trials as children of a parent, which must be active: all or none. */
export async function addTrials(
  installation: Installation,
  parent: TrialParent,
  trials: readonly TrialPayload[],
): Promise<void> {
  const queue = new Queue<TrialPayload>(QUEUES.training, queueOptions(installation));
  // A failed call says so itself.
  queue.on("error", () => {});
  try {
    await queue.addBulk(
      trials.map((data) => ({
        name: TRAINING_JOBS.trial,
        data,
        opts: { ...TRIAL, jobId: trialId(parent.id, data), parent: { ...parent } },
      })),
    );
  } finally {
    await queue.close();
  }
}
