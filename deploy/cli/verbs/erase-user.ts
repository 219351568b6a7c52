import type { Command } from "commander";
import type { JobAdded } from "../../../services/serving/routes/jobs.ts";
import { followJob } from "../../client/follow-job.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, warnOfProblems, withService } from "../service.ts";

export function eraseUserVerb(program: Command): void {
  const command = program
    .command("erase-user <user>")
    .description("remove every trace of a user: history, events, evidence, snapshots; a worker does it");
  withService(command).action(async (user: string, options: ServiceOptions) => {
    const api = await connect(options);
    await warnOfProblems(api);
    const { jobId } = await api.delete<JobAdded>(`/users/${encodeURIComponent(user)}`);
    const job = await followJob(api, jobId);
    if (job.state === "failed") throw new Error(`erase-user: ${job.failedReason ?? "failed"}; run it again`);
    print(job.result, options, () =>
      Object.entries(job.result as Record<string, unknown>)
        .map(([part, value]) => `${part}: ${String(value)}`)
        .join("\n"),
    );
  });
}
