import type { Command } from "commander";
import type { Unfrozen } from "../../../services/serving/routes/promotion.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface UnfreezeOptions extends ServiceOptions {
  readonly reason: string;
}

export function unfreezeVerb(program: Command): void {
  const command = program
    .command("unfreeze")
    .description("allow promotions again after automatic rollbacks have frozen them")
    .requiredOption("--reason <text>", "what the cause was; goes into the audit log");
  withService(command).action(async (options: UnfreezeOptions) => {
    const api = await connect(options);
    const result = await api.post<Unfrozen>("/unfreeze", { reason: options.reason });
    print(result, options, () =>
      result.changed ? "promotions are possible again" : "nothing to do: promotions were not frozen",
    );
  });
}
