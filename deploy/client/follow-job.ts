import type { JobView } from "../../services/queues/types.ts";
import type { ApiClient } from "./api-client.ts";

const POLL_MS = 500;

/** Follows a job to its end. */
export async function followJob(
  api: ApiClient,
  jobId: string,
  onUpdate: (job: JobView) => void = () => {},
): Promise<JobView> {
  for (;;) {
    const job = await api.get<JobView>(`/jobs/${encodeURIComponent(jobId)}`);
    onUpdate(job);
    if (job.state === "completed" || job.state === "failed") return job;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
