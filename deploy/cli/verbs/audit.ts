import type { Command } from "commander";
import type { AuditLog } from "../../../services/serving/routes/records.ts";
import { EXIT, print, table } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

export function auditVerb(program: Command): void {
  const command = program
    .command("audit")
    .description("what was live when, who changed it, and why, and whether the chain verifies");
  withService(command).action(async (options: ServiceOptions) => {
    const api = await connect(options);
    const { entries, firstBroken } = await api.get<AuditLog>("/audit");
    if (firstBroken !== null) process.exitCode = EXIT.failed;
    print(entries, options, () =>
      [
        table(
          ["#", "at", "actor", "action", "version", "epoch", "reason"],
          entries.map((entry) => [
            String(entry.sequence),
            entry.at,
            entry.actor,
            entry.action,
            entry.version,
            String(entry.epoch),
            entry.reason,
          ]),
        ),
        firstBroken === null ? "the chain verifies" : `the chain is broken at entry ${firstBroken}`,
      ].join("\n"),
    );
  });
}
