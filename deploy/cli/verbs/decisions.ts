import type { Command } from "commander";
import type { Decisions } from "../../../services/serving/routes/records.ts";
import { wholeNumber } from "../../terminal/arguments.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface DecisionsOptions extends ServiceOptions {
  readonly limit: number;
}

export function decisionsVerb(program: Command): void {
  const command = program
    .command("decisions")
    .description("what the gate decided, and why, newest first")
    .option("--limit <n>", "how many", wholeNumber, 20);
  withService(command).action(async (options: DecisionsOptions) => {
    const api = await connect(options);
    const { decisions } = await api.get<Decisions>(`/decisions?limit=${options.limit}`);
    print(decisions, options, () =>
      decisions.length === 0
        ? "no decision yet"
        : decisions
            .map(
              (one) => `${one.at}  ${one.id}  ${one.challenger} against ${one.baseline}\n  ${one.sentence}`,
            )
            .join("\n"),
    );
  });
}
