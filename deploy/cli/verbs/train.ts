import { type Command, InvalidArgumentError } from "commander";
import type { JobView } from "../../../services/queues/types.ts";
import type { ApiClient } from "../api-client.ts";
import { EXIT, print, progressLine } from "../output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface TrainOptions extends ServiceOptions {
  readonly phase: number;
  readonly recipe?: string;
  readonly params?: Record<string, unknown>;
  readonly tune?: boolean;
  readonly analyse?: boolean;
  readonly seed?: number;
  readonly wait: boolean;
}

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

export function describeProgress(job: JobView): string {
  const { progress } = job;
  if (progress === null) return `${job.name}: ${job.state}`;
  return `${(progress.fraction * 100).toFixed(0).padStart(3)} %  ${progress.message}`;
}

export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, with what was expected.
  }
  throw new InvalidArgumentError(`expected a JSON object such as '{"neighbours": 100}', got ${text}`);
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError(`expected a whole number, got ${text}`);
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
    const { jobId } = await api.post<{ jobId: string }>("/retrain", request);
    if (!options.wait) {
      print({ jobId }, options, () => `queued as ${jobId}`);
      return;
    }
    const line = progressLine();
    const job = await followJob(api, jobId, (view) => line.update(describeProgress(view)));
    if (job.state === "failed") process.exitCode = EXIT.failed;
    print(job, options, () =>
      job.state === "failed" ? `failed: ${job.failedReason}` : JSON.stringify(job.result, null, 2),
    );
  });
}
