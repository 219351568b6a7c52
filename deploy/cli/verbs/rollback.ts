import { type Command, CommanderError } from "commander";
import type { RollbackResult } from "../../../services/registry/types.ts";
import { canAsk, confirm } from "../../terminal/confirm.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface RollbackOptions extends ServiceOptions {
  readonly to?: readonly string[];
  readonly expectedLive?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function rollbackVerb(program: Command): void {
  const command = program
    .command("rollback")
    .description("leave the canary while one runs, else the live version for the one before it")
    .option("--reason <text>", "why; goes into the audit log")
    .option("--to <where...>", 'previous (the default), floor, "phase N", or a version that was live')
    .option(
      "--expected-live <version>",
      "the version to leave, the live one or the canary; nothing happens when it is neither any more",
    )
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--yes", "do not ask, on a terminal either");
  withService(command).action(async (options: RollbackOptions) => {
    const { reason, dryRun = false, yes = false } = options;
    if (reason === undefined && !dryRun) {
      const message = "error: expected --reason TEXT, which goes into the audit log, or --dry-run";
      process.stderr.write(`${message}\n`);
      throw new CommanderError(EXIT.usage, "phasewise.noReason", message);
    }
    const api = await connect(options);
    const asked = {
      reason: reason ?? "a dry run",
      ...(options.to === undefined ? {} : { to: options.to.join(" ") }),
      ...(options.expectedLive === undefined ? {} : { expectedLive: options.expectedLive }),
    };
    let order: typeof asked & { dryRun?: boolean } = dryRun ? { ...asked, dryRun } : asked;
    if (!dryRun && !yes && canAsk()) {
      const plan = await api.post<RollbackResult>("/rollback", { ...asked, dryRun: true });
      if (plan.changed) {
        if (!(await confirm(question(plan)))) {
          process.stderr.write("left as it is\n");
          process.exitCode = EXIT.failed;
          return;
        }
        // What was agreed to, whatever has happened while the question stood there.
        order = { ...asked, expectedLive: plan.left };
      }
    }
    const result = await api.post<RollbackResult>("/rollback", order);
    print(result, options, () => result.sentence);
  });
}

function question({ live, left, to }: RollbackResult): string {
  return left === live.canary?.version
    ? `canary is ${left} at ${Number((100 * live.canary.share).toFixed(2))} % of the users; end it and keep ${to} for all?`
    : `live is ${left} since ${live.since}; go back to ${to}?`;
}
