import { setPriority } from "node:os";
import type { SandboxedJob } from "bullmq";
import type { Findings } from "../../models/card/findings.ts";
import { parentOf } from "../../services/config.ts";
import { dieWithParent } from "../../services/end-with-parent.ts";
import type { AnalysisPayload } from "../../services/queues/types.ts";
import { openContext } from "../context.ts";
import { progressOfJob } from "../job-progress.ts";
import { analyse } from "./analyse.ts";

/**
 * The child process that explains versions. Nobody waits for it, so that it yields the CPU to whatever serves, scores
 * or trains.
 */
process.on("disconnect", () => process.exit(1));
dieWithParent(parentOf());

/** As `nice -n 10`. */
const NICENESS = 10;
setPriority(NICENESS);

export default async function analyseInChild(
  job: SandboxedJob<AnalysisPayload>,
  _token: string,
  signal?: AbortSignal,
): Promise<Pick<Findings, "version" | "diagnosis">> {
  const context = await openContext();
  try {
    const { version, diagnosis } = await analyse(context, job.data, {
      signal,
      onProgress: progressOfJob(job).update,
    });
    return { version, diagnosis };
  } finally {
    await context.close();
  }
}
