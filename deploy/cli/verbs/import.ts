import type { Command } from "commander";
import { whileRedisAnswers } from "../../../services/health/require-redis.ts";
import { prepareData } from "../../data/prepare-data.ts";
import {
  type ModeOptions,
  modeOf,
  type ReadingOptions,
  readingSettings,
  withModeOptions,
  withReadingOptions,
} from "../../data/reading-options.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";
import { progressLine } from "../../terminal/progress.ts";
import { type RedisOptions, verbConfig, withRedis } from "../verb-config.ts";

interface ImportOptions extends OutputOptions, ReadingOptions, ModeOptions, RedisOptions {
  readonly data?: string;
}

export function importVerb(program: Command): void {
  withModeOptions(
    withReadingOptions(
      withRedis(program.command("import"))
        .description("validate interactions and make them the snapshot that models train on")
        .option(
          "--data <path>",
          "folder or file of interactions: delimited text, JSON or Parquet, packed or in parts",
        ),
    ),
  )
    .option("--json", "print JSON only")
    .action(async (options: ImportOptions) => {
      const config = verbConfig({ dataFolder: options.data, redisUrl: options.redis });
      const line = progressLine();
      const asked = {
        cut: null,
        say: line.update,
        settings: readingSettings(options),
        mode: modeOf(options),
      };
      const prepared = await whileRedisAnswers(config, () => prepareData(config, asked));
      print(prepared.summary, options, () => prepared.lines.join("\n"));
    });
}
