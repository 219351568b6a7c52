import assert from "node:assert/strict";
import { test } from "node:test";
import type { SandboxedJob } from "bullmq";
import { progressOfJob } from "../../jobs/job-progress.ts";

/** A job that keeps what it is sent, or whose worker has died. */
function jobThat(hears: boolean): { job: SandboxedJob; sent: unknown[] } {
  const sent: unknown[] = [];
  const updateProgress = async (progress: unknown): Promise<void> => {
    if (!hears) throw new Error("channel closed");
    sent.push(progress);
  };
  return { job: { updateProgress } as unknown as SandboxedJob, sent };
}

test("the first and the last report of a job are sent, and the latest again when it is asked for", () => {
  const { job, sent } = jobThat(true);
  const progress = progressOfJob(job);
  progress.sendLatest();
  assert.deepEqual(sent, []);
  for (const fraction of [0, 0.5, 1]) progress.update({ fraction, message: "" });
  assert.deepEqual(sent.at(0), { fraction: 0, message: "" });
  assert.deepEqual(sent.at(-1), { fraction: 1, message: "" });
  progress.update({ fraction: 0.9, message: "late" });
  progress.sendLatest();
  assert.deepEqual(sent.at(-1), { fraction: 0.9, message: "late" });
});

test("a report that nobody hears is no error", async () => {
  progressOfJob(jobThat(false).job).update({ fraction: 1, message: "" });
  await new Promise((resolve) => setImmediate(resolve));
});
