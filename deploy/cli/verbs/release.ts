import type { Command } from "commander";
import type { Released } from "../../../services/serving/routes/promotion.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface ReleaseOptions extends ServiceOptions {
  readonly reason: string;
}

export function releaseVerb(program: Command): void {
  const command = program
    .command("release <version>")
    .description("let a quarantined or retired version face the gate again")
    .requiredOption("--reason <text>", "why it deserves it; goes into the audit log");
  withService(command).action(async (version: string, options: ReleaseOptions) => {
    const api = await connect(options);
    const path = `/models/${encodeURIComponent(version)}/release`;
    const result = await api.post<Released>(path, { reason: options.reason });
    const { changed, record } = result;
    print(result, options, () =>
      changed
        ? `released ${record.version}: it is ${record.state}, and the judge screens it against what is live`
        : `nothing to do: ${record.version} faces the gate already (${record.state})`,
    );
  });
}
