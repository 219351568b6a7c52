import type { Command } from "commander";
import { exportModel } from "../../../jobs/export-model.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";
import { type RedisOptions, withRedis } from "../verb-config.ts";
import { withContext } from "../with-context.ts";

interface ExportModelOptions extends OutputOptions, RedisOptions {
  readonly items: string;
}

export function exportModelVerb(program: Command): void {
  withRedis(program.command("export-model"))
    .description("write the item factors of a version as import-model takes them")
    .argument("<version>", "a version of als, or one that was imported")
    .argument("<factors>", "safetensors file to write: itemFactors (items × d, float32) and how to use them")
    .requiredOption("--items <file>", "CSV file to write: the item ids, in the order of the rows")
    .option("--json", "print JSON only")
    .action(async (version: string, factors: string, options: ExportModelOptions) => {
      await withContext(options, async (context) => {
        const written = await exportModel(context, { version, factors, items: options.items });
        print(
          written,
          options,
          () =>
            `${version}: ${written.items} items × ${written.d} factors in ${factors}, ids in ${options.items}`,
        );
      });
    });
}
