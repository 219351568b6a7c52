import type { Command } from "commander";
import type { JobAdded } from "../../../services/serving/routes/jobs.ts";
import type { ModelView } from "../../../services/serving/routes/models.ts";
import { followJob } from "../../client/follow-job.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { describeJob, progressLine } from "../../terminal/progress.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface CardOptions extends ServiceOptions {
  readonly analyse?: boolean;
}

export function cardVerb(program: Command): void {
  const command = program
    .command("card <version>")
    .description("the model card of a version: data, parameters, figures, levers, diagnosis, cost")
    .option("--analyse", "measure levers, learning curve and diagnosis first");
  withService(command).action(async (version: string, options: CardOptions) => {
    const api = await connect(options);
    const path = `/models/${encodeURIComponent(version)}`;
    if (options.analyse === true) {
      const { jobId } = await api.post<JobAdded>(`${path}/analyse`, {});
      const line = progressLine();
      const job = await followJob(api, jobId, (view) => line.update(describeJob(view)));
      if (job.state === "failed") {
        process.exitCode = EXIT.failed;
        process.stderr.write(`phasewise: the analysis failed: ${job.failedReason}\n`);
      }
    }
    const { modelCard, card } = await api.get<ModelView>(path);
    print(modelCard, options, () => card.trimEnd());
  });
}
