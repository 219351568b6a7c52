import type { SandboxedJob } from "bullmq";
import type { OnProgress, Progress } from "../models/long-work.ts";

/** Progress is sent at most this often, milliseconds; its end always. */
const INTERVAL_MS = 250;

export interface JobProgress {
  readonly update: OnProgress;
  /** Sends the latest again, whenever it was sent last. */
  sendLatest(): void;
}

/** Sends what a job's child process reports to the job, where `/jobs/:id` reads it. */
export function progressOfJob(job: SandboxedJob): JobProgress {
  let latest: Progress | null = null;
  let sentAt = Number.NEGATIVE_INFINITY;
  const sendLatest = (): void => {
    if (latest === null) return;
    sentAt = performance.now();
    // The channel closes when the worker dies; "disconnect" then ends this process.
    void job.updateProgress({ ...latest }).catch(() => {});
  };
  return {
    update: (progress) => {
      latest = progress;
      if (performance.now() - sentAt >= INTERVAL_MS || progress.fraction === 1) sendLatest();
    },
    sendLatest,
  };
}
