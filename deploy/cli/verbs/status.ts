import type { Command } from "commander";
import type { Readiness } from "../../../services/serving/routes/health.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

export function statusVerb(program: Command): void {
  const command = program
    .command("status")
    .description("what serves, Redis, the workers, and what is wrong; exit 1 when something is");
  withService(command).action(async (options: ServiceOptions) => {
    const status = await (await connect(options)).get<Readiness>("/status");
    if (!status.ready || status.problems.length > 0) process.exitCode = EXIT.failed;
    print(status, options, () => describe(status));
  });
}

function describe({ ready, why, model, epoch, redis, workers, problems }: Readiness): string {
  return [
    `${ready ? "ready" : "NOT ready"}: ${why}`,
    `live: ${model === null ? "nothing" : `${model.version} (epoch ${epoch})`}`,
    `Redis: ${redis}`,
    `workers: ${workers === null ? "unknown" : workers.alive}`,
    ...problems.map((problem) => `! ${problem}`),
  ].join("\n");
}
