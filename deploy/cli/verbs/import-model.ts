import type { Command } from "commander";
import { importModel } from "../../../jobs/training/import-model.ts";
import { ENCODERS, type Encoder } from "../../../models/factorization/imported.ts";
import { oneOf, wholeNumber } from "../../terminal/arguments.ts";
import { EXIT, type OutputOptions, print } from "../../terminal/output.ts";
import { type RedisOptions, withRedis } from "../verb-config.ts";
import { withContext } from "../with-context.ts";

interface ImportModelOptions extends OutputOptions, RedisOptions {
  readonly phase: number;
  readonly recipe: string;
  readonly items: string;
  readonly encoder?: Encoder;
  readonly recency?: number;
  readonly trainedThrough?: string;
  readonly skipUnknown?: boolean;
}

export function importModelVerb(program: Command): void {
  withRedis(program.command("import-model"))
    .description("register item factors that were trained elsewhere as a challenger")
    .argument(
      "<factors>",
      "safetensors with itemFactors (items × d, floats) and, optionally, itemBias (items)",
    )
    .requiredOption("--phase <3>", "rung of the ladder", wholeNumber)
    .requiredOption("--recipe <name>", "what it is called: the recipe becomes imported-<name>")
    .requiredOption("--items <file>", "CSV, Parquet or JSONL with a column itemId, in the order of the rows")
    .option(
      "--encoder <kind>",
      `how a history becomes a query: ${ENCODERS.join(", ")} (default: the file's metadata, else recency)`,
      oneOf(ENCODERS),
    )
    .option(
      "--recency <events>",
      "events after which a history item counts 1/e; 0 counts all alike",
      wholeNumber,
    )
    .option(
      "--trained-through <date>",
      "last event its trainer used; without it the holdout judges nothing and only the shadow decides",
    )
    .option(
      "--skip-unknown",
      "leave out items that the catalogue does not know, instead of refusing the file",
    )
    .option("--json", "print JSON only")
    .action(async (factors: string, options: ImportModelOptions) => {
      await withContext(options, async (context) => {
        const imported = await importModel(context, { ...options, factors });
        const { version, record, items, ndcg } = imported;
        if (record.state === "REJECTED") process.exitCode = EXIT.held;
        print(imported, options, () =>
          [
            `${version}: ${items} items, ${ndcg === null ? "not judged offline" : `holdout nDCG@10 ${ndcg.toFixed(4)}`}`,
            `${record.state}: ${record.reason}`,
          ].join("\n"),
        );
      });
    });
}
