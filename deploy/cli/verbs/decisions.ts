import type { Command } from "commander";
import type { DecisionSummary } from "../../../services/registry/decision-summary.ts";
import type { Decisions } from "../../../services/serving/routes/records.ts";
import { wholeNumber } from "../../terminal/arguments.ts";
import { print } from "../../terminal/output.ts";
import { wrapped } from "../../terminal/table.ts";
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
      decisions.length === 0 ? "no decision yet" : decisions.map(describe).join("\n"),
    );
  });
}

function describe({ at, id, about, challenger, baseline, sentence }: DecisionSummary): string {
  const when = at.slice(0, 19).replace("T", " ");
  return [
    `${when}  ${id}  ${about}  ${challenger}`,
    wrapped(`against ${baseline}`, { indent: "  " }),
    wrapped(sentence, { indent: "  " }),
  ].join("\n");
}
