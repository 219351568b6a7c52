import type { SandboxedJob } from "bullmq";
import type { RetrainPayload } from "../services/queues/types.ts";
import { askForAnalysis } from "./ask-for-analysis.ts";
import { openContext } from "./context.ts";
import { type RetrainResult, retrain } from "./retrain.ts";

/**
 * The child process that trains. The worker's event loop must never block (it would lose its job's lock), and
 * a child that crashes or is killed takes nothing with it. A child whose worker has died must not train on.
 */
process.on("disconnect", () => process.exit(1));

/** Progress is sent at most this often, milliseconds. */
const PROGRESS_INTERVAL_MS = 250;

export default async function trainInChild(
  job: SandboxedJob<RetrainPayload>,
  _token: string,
  signal?: AbortSignal,
): Promise<RetrainResult> {
  const context = await openContext();
  let lastSentAt = 0;
  try {
    const result = await retrain(context, job.data, {
      signal,
      onProgress: (progress) => {
        const now = performance.now();
        if (now - lastSentAt < PROGRESS_INTERVAL_MS && progress.fraction < 1) return;
        lastSentAt = now;
        // The channel closes when the worker dies; "disconnect" then ends this process.
        void job.updateProgress({ ...progress }).catch(() => {});
      },
    });
    await askForAnalysis(context, job.data, result);
    return result;
  } finally {
    await context.close();
  }
}
