import type { Command } from "commander";
import type { JobAdded } from "../../../services/serving/routes/jobs.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

export function cancelVerb(program: Command): void {
  const command = program
    .command("cancel <job>")
    .description(
      "take a training or an analysis that waits, for a worker or for its trials, out of its queue",
    );
  withService(command).action(async (job: string, options: ServiceOptions) => {
    const api = await connect(options);
    const result = await api.delete<JobAdded>(`/jobs/${encodeURIComponent(job)}`);
    print(result, options, () => `cancelled ${result.jobId}`);
  });
}
