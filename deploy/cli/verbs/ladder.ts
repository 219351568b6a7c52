import type { Command } from "commander";
import type { Ladder } from "../../../services/serving/routes/ladder.ts";
import { ladderTable } from "../../terminal/ladder-table.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

export function ladderVerb(program: Command): void {
  const command = program
    .command("ladder")
    .description("every rung, its versions, their figures and verdicts");
  withService(command).action(async (options: ServiceOptions) => {
    const ladder = await (await connect(options)).get<Ladder>("/ladder");
    print(ladder, options, () => ladderTable(ladder));
  });
}
