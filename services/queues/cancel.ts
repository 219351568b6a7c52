import type { Job } from "bullmq";
import { PhasewiseError } from "../errors.ts";

/** States of a job that no process is at. */
const WAITS: readonly string[] = ["waiting", "prioritized", "delayed", "waiting-children"];

/**
 * Takes a job that waits out of its queue, with the trials that wait for a worker on its behalf. Trials that are being
 * fitted end by themselves, and nobody hears of them.
 * @throws CONFLICT for a job that is being worked on or is over, and for a trial, which its search would ask for again
 */
export async function cancel(job: Job): Promise<void> {
  const { parent } = job;
  if (parent !== undefined) {
    throw conflict(job, "a job of its own", `a trial of ${parent.id}`, "cancel that");
  }
  const state = await job.getState();
  if (state === "completed" || state === "failed") {
    throw conflict(job, "a job that is not over", `one that has ${state}`, "there is nothing to cancel");
  }
  if (WAITS.includes(state)) {
    if (await removed(job, true)) return;
    // Some trial is being fitted: it keeps the others from being removed together with it.
    await job.removeUnprocessedChildren();
    if (await removed(job, false)) return;
  }
  throw conflict(
    job,
    "a job that waits, for a worker or for its trials",
    "one that is being worked on",
    "ask again in a moment, or stop its worker",
  );
}

/** False when it, or one of its trials, is being worked on. */
async function removed(job: Job, removeChildren: boolean): Promise<boolean> {
  try {
    await job.remove({ removeChildren });
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("locked")) return false;
    throw error;
  }
}

function conflict({ id }: Job, expected: string, got: string, remedy: string): PhasewiseError {
  return new PhasewiseError("CONFLICT", `cancel ${id}: expected ${expected}, got ${got}; ${remedy}`);
}
