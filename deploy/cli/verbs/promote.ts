import type { Command } from "commander";
import type { LivePointer } from "../../../services/registry/types.ts";
import { print } from "../output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface PromoteOptions extends ServiceOptions {
  readonly expectedLive: string;
  readonly reason: string;
  readonly force?: boolean;
}

export function promoteVerb(program: Command): void {
  const command = program
    .command("promote <version>")
    .description("make a version live, if what you believe to be live still is")
    .requiredOption(
      "--expected-live <version>",
      'the version you mean to replace ("none" at the first promotion)',
    )
    .requiredOption("--reason <text>", "why; goes into the audit log")
    .option("--force", "promote without the gate's consent; the audit log says so");
  withService(command).action(async (version: string, options: PromoteOptions) => {
    const api = await connect(options);
    const expectedLive = options.expectedLive === "none" ? null : options.expectedLive;
    const { live } = await api.post<{ live: LivePointer }>(`/models/${version}/promote`, {
      expectedLive,
      reason: options.reason,
      ...(options.force === true ? { force: true } : {}),
    });
    print(
      live,
      options,
      () =>
        `live: ${live.version} (epoch ${live.epoch}); a rollback returns to ${live.previous ?? live.floor}`,
    );
  });
}
