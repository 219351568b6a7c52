import type { Command } from "commander";
import type { Ladder } from "../../../services/serving/routes/ladder.ts";
import { ladderTable } from "../../terminal/ladder-table.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, warnOfProblems, withService } from "../service.ts";

export function ladderVerb(program: Command): void {
  const command = program
    .command("ladder")
    .description("every rung, its versions, their figures and verdicts");
  withService(command).action(async (options: ServiceOptions) => {
    const api = await connect(options);
    const ladder = await api.get<Ladder>("/ladder");
    await warnOfProblems(api);
    print(ladder, options, () => ladderTable(ladder));
  });
}
