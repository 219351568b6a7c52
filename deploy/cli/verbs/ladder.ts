import type { Command } from "commander";
import type { Ladder } from "../../../services/serving/routes/ladder.ts";
import { figuresTable, ladderInWords } from "../../terminal/ladder-table.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, warnOfProblems, withService } from "../service.ts";

interface LadderOptions extends ServiceOptions {
  readonly details?: boolean;
}

export function ladderVerb(program: Command): void {
  const command = program
    .command("ladder")
    .description("every rung, its versions, their figures and verdicts")
    .option("--details", "also what each version costs, and how certain its figures are");
  withService(command).action(async (options: LadderOptions) => {
    const api = await connect(options);
    const ladder = await api.get<Ladder>("/ladder");
    await warnOfProblems(api);
    print(ladder, options, () =>
      [ladderInWords(ladder), ...(options.details === true ? ["", figuresTable(ladder)] : [])].join("\n"),
    );
  });
}
