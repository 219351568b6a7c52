import type { Command } from "commander";
import type { JobAdded } from "../../../services/serving/routes/jobs.ts";
import { followJob } from "../../client/follow-job.ts";
import { jsonObject, wholeNumber } from "../../terminal/arguments.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { describeJob, progressLine } from "../../terminal/progress.ts";
import { connect, type ServiceOptions, warnOfProblems, withService } from "../service.ts";

interface TrainOptions extends ServiceOptions {
  readonly phase: number;
  readonly recipe?: string;
  readonly params?: Record<string, unknown>;
  readonly tune?: boolean;
  readonly analyse?: boolean;
  readonly seed?: number;
  readonly wait: boolean;
}

export function trainVerb(program: Command): void {
  const command = program
    .command("train")
    .description("train a challenger and screen it against the live model")
    .requiredOption("--phase <1-4>", "rung of the ladder", wholeNumber)
    .option("--recipe <name>", "algorithm (default: the phase's first)")
    .option("--params <json>", "its parameters", jsonObject)
    .option("--tune", "search the parameters on a validation window first")
    .option("--analyse", "measure levers, learning curve and diagnosis afterwards, for the model card")
    .option("--seed <n>", "seed of everything random", wholeNumber)
    .option("--no-wait", "only queue the job");
  withService(command).action(async (options: TrainOptions) => {
    const api = await connect(options);
    const { phase, recipe, params, tune, analyse, seed } = options;
    const request = { phase, recipe, params, tune, analyse, seed };
    const { jobId } = await api.post<JobAdded>("/retrain", request);
    if (!options.wait) {
      await warnOfProblems(api);
      print({ jobId }, options, () => `queued as ${jobId}`);
      return;
    }
    await warnOfProblems(api);
    const line = progressLine();
    const job = await followJob(api, jobId, (view) => line.update(describeJob(view)));
    if (job.state === "failed") process.exitCode = EXIT.failed;
    print(job, options, () =>
      job.state === "failed" ? `failed: ${job.failedReason}` : JSON.stringify(job.result, null, 2),
    );
  });
}
