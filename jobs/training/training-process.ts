import { type SandboxedJob, WaitingChildrenError } from "bullmq";
import { parentOf } from "../../services/config.ts";
import { dieWithParent } from "../../services/end-with-parent.ts";
import { addTrials, type TrialParent, trialKey } from "../../services/queues/trial-queue.ts";
import {
  type RetrainPayload,
  type SearchedData,
  TRAINING_JOBS,
  type TrialOutcome,
  type TrialPayload,
} from "../../services/queues/types.ts";
import { type JobContext, openContext } from "../context.ts";
import { progressOfJob } from "../job-progress.ts";
import { askForAnalysis } from "./ask-for-analysis.ts";
import { type RetrainResult, retrain } from "./retrain.ts";
import type { TrialFlow } from "./search-by-jobs.ts";
import { runTrialJob } from "./trial-job.ts";

/**
 * The child process that trains. The worker's event loop must never block (it would lose its job's lock), and
 * a child that crashes or is killed takes nothing with it. A child whose worker has died must not train on.
 */
process.on("disconnect", () => process.exit(1));
dieWithParent(parentOf());

export default async function trainInChild(
  job: SandboxedJob<RetrainPayload | TrialPayload>,
  token: string,
  signal?: AbortSignal,
): Promise<RetrainResult | TrialOutcome> {
  const context = await openContext();
  try {
    return job.name === TRAINING_JOBS.trial
      ? await runTrialJob(context, job.data as TrialPayload, signal)
      : await retrainJob(context, job as SandboxedJob<RetrainPayload>, token, signal);
  } finally {
    await context.close();
  }
}

async function retrainJob(
  context: JobContext,
  job: SandboxedJob<RetrainPayload>,
  token: string,
  signal: AbortSignal | undefined,
): Promise<RetrainResult> {
  const progress = progressOfJob(job);
  const result = await retrain(context, job.data, {
    signal,
    flow: flowOf(context, job, token, progress.sendLatest),
    onProgress: progress.update,
  });
  await askForAnalysis(context, job.data, result);
  return result;
}

/** @param sayWhere tells how far the search is, before this run ends and leaves the rest to its trials */
function flowOf(
  context: JobContext,
  job: SandboxedJob<RetrainPayload>,
  token: string,
  sayWhere: () => void,
): TrialFlow {
  const parent: TrialParent = { id: job.id, queue: job.queueQualifiedName };
  return {
    begin: async (searching: SearchedData) => {
      if (job.data.searching?.sha256 !== searching.sha256) await job.updateData({ ...job.data, searching });
    },
    outcomesOf: async (trials) => {
      const finished = await job.getChildrenValues<TrialOutcome>();
      const failed = await job.getIgnoredChildrenFailures();
      return trials.map((trial) => {
        const key = trialKey(parent, trial);
        return finished[key] ?? died(trial, failed[key]);
      });
    },
    waitFor: async (trials) => {
      sayWhere();
      await addTrials(context.config, parent, trials);
      // False when every one of them has finished meanwhile.
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    },
  };
}

/** A trial whose every attempt ended its process, or could not be recorded. */
function died({ data }: TrialPayload, reason: string | undefined): TrialOutcome | null {
  return reason === undefined ? null : { failure: reason, seconds: 0, dataSha256: data.sha256 };
}
