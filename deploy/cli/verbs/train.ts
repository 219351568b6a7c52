import type { Command } from "commander";
import { signed } from "../../../models/evaluation/signed.ts";
import type { VerdictForecast } from "../../../services/forecasts/redis-forecasts.ts";
import type { JobAdded } from "../../../services/serving/routes/jobs.ts";
import type { Ladder } from "../../../services/serving/routes/ladder.ts";
import { followJob } from "../../client/follow-job.ts";
import { jsonObject, wholeNumber } from "../../terminal/arguments.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { describeJob, progressLine } from "../../terminal/progress.ts";
import { wrapped } from "../../terminal/table.ts";
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

/** What the job of a training resolves to, as far as people are told. */
interface Trained {
  readonly version: string;
  readonly state: string;
  readonly reason: string;
  readonly ndcg: number;
  readonly lift: number | null;
  readonly forecast: VerdictForecast | null;
}

/** @param told the forecast that was shown before */
function describe(
  { version, state, reason, ndcg, lift, forecast }: Trained,
  told: string | undefined,
): string {
  const beside = lift === null ? "" : ` (${signed(lift)} beside the live version)`;
  return [
    `${version}: ${state}`,
    wrapped(reason),
    wrapped(`nDCG@10 on the holdout: ${ndcg.toFixed(4)}${beside}. All of it: phasewise card ${version}`),
    ...(forecast === null || forecast.sentence === told ? [] : [wrapped(foreseen(forecast))]),
  ].join("\n");
}

function foreseen({ baseline, sentence }: Pick<VerdictForecast, "baseline" | "sentence">): string {
  return `To be proven over ${baseline}: ${sentence}.`;
}

export function trainVerb(program: Command): void {
  const command = program
    .command("train")
    .description("train a challenger and screen it against the live model (exit code 4 when it is rejected)")
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
    const { forecasts } = await api.get<Ladder>("/ladder");
    const { jobId } = await api.post<JobAdded>("/retrain", request);
    if (!options.wait) {
      await warnOfProblems(api);
      print({ jobId }, options, () => `queued as ${jobId}`);
      return;
    }
    await warnOfProblems(api);
    const line = progressLine();
    const forecast = forecasts.find((one) => one.phase === phase);
    if (forecast !== undefined && options.json !== true) line.done(wrapped(foreseen(forecast)));
    const job = await followJob(api, jobId, (view) => line.update(describeJob(view)));
    if (job.state === "failed") process.exitCode = EXIT.failed;
    const result = job.result as Trained | null;
    if (result?.state === "REJECTED") process.exitCode = EXIT.held;
    print(job, options, () =>
      job.state === "failed" || result === null
        ? `failed: ${job.failedReason}`
        : describe(result, forecast?.sentence),
    );
  });
}
