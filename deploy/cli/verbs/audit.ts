import type { Command } from "commander";
import type { AuditEntry } from "../../../services/registry/types.ts";
import type { AuditLog } from "../../../services/serving/routes/records.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { wrapped } from "../../terminal/table.ts";
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
        ...entries.map(describe),
        firstBroken === null ? "the chain verifies" : `the chain is broken at entry ${firstBroken}`,
      ].join("\n"),
    );
  });
}

/** What happened to which version stands in columns; why, which may be long, below. */
function describe({ sequence, at, actor, action, version, epoch, reason }: AuditEntry): string {
  const when = at.slice(0, 19).replace("T", " ");
  const what = `${String(sequence).padStart(4)}  ${when}  ${action.padEnd(13)}  ${version}`;
  return [what, wrapped(`epoch ${epoch}, ${actor}: ${reason}`, { indent: "      " })].join("\n");
}
