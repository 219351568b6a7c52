import type { Command } from "commander";
import type { RollbackResult } from "../../../services/registry/types.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface RollbackOptions extends ServiceOptions {
  readonly expectedLive?: string;
  readonly reason: string;
}

export function rollbackVerb(program: Command): void {
  const command = program
    .command("rollback")
    .description("leave the canary while one runs, else the live version for the one before it")
    .requiredOption("--reason <text>", "why; goes into the audit log")
    .option(
      "--expected-live <version>",
      "the version to leave, the live one or the canary; nothing happens when it is neither any more",
    );
  withService(command).action(async (options: RollbackOptions) => {
    const api = await connect(options);
    const { reason, expectedLive } = options;
    const result = await api.post<RollbackResult>("/rollback", {
      reason,
      ...(expectedLive === undefined ? {} : { expectedLive }),
    });
    print(result, options, () =>
      result.changed
        ? `left ${result.left} (quarantined); live: ${result.live.version} (epoch ${result.live.epoch})`
        : `nothing to do: ${result.left} was left already; live: ${result.live.version}`,
    );
  });
}
