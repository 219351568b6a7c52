import type { Command } from "commander";
import { cutPosition } from "../../../models/data/interaction-log.ts";
import { loadConfig } from "../../../services/config.ts";
import { apiClient } from "../../client/api-client.ts";
import { ownUrl } from "../../client/own-url.ts";
import { openData } from "../../data/open-data.ts";
import { type ReadingOptions, readingSettings, withReadingOptions } from "../../data/reading-options.ts";
import { replay } from "../../replay/replay.ts";
import { shareFromZero, wholeNumber } from "../../terminal/arguments.ts";
import { day } from "../../terminal/figures.ts";
import { EXIT, type OutputOptions, print } from "../../terminal/output.ts";
import { progressLine } from "../../terminal/progress.ts";
import { KEY_FILE, keyFor, PATIENCE_MS } from "../service.ts";

interface ReplayVerbOptions extends OutputOptions, ReadingOptions {
  readonly data?: string;
  readonly url?: string;
  readonly keyFile?: string;
  readonly from: number;
  readonly speed: number;
  readonly listDriven?: boolean;
}

export function replayVerb(program: Command): void {
  withReadingOptions(
    program
      .command("replay")
      .description("play recorded events as live traffic through the HTTP API, in their order")
      .option("--data <path>", "folder or file of interactions (default: as in start)"),
  )
    .option("--url <url>", "where Phasewise listens")
    .option("--key-file <path>", KEY_FILE)
    .option("--from <share>", "begin after this share of the events", shareFromZero, 0.6)
    .option("--speed <n>", "events a second; 0 for as fast as it goes", wholeNumber, 0)
    .option("--list-driven", "say of what a user was shown before which list it was chosen from")
    .option("--json", "print JSON only")
    .action(async (options: ReplayVerbOptions) => {
      const config = loadConfig(process.env, { dataFolder: options.data });
      const url = (options.url ?? ownUrl(config)).replace(/\/+$/, "");
      await apiClient(url, null, { patienceMs: PATIENCE_MS }).get("/healthz");
      const line = progressLine();
      const { log } = await openData(config, line.update, readingSettings(options));
      const done = await replay({
        key: (await keyFor(options.keyFile, config)) ?? "",
        url,
        log,
        from: options.from === 0 ? 0 : cutPosition(log, options.from),
        eventsPerSecond: options.speed,
        listDriven: options.listDriven,
        onProgress: ({ played, total, eventTime }) => line.update(`${played} of ${total}, ${day(eventTime)}`),
      });
      if (done.gaveUp !== null) {
        process.exitCode = EXIT.failed;
        process.stderr.write(`phasewise: the replay ended early: ${done.gaveUp}\n`);
      }
      print(
        done,
        options,
        () =>
          `${done.played} events replayed, ${done.hits} hits in the top 10, ${done.listDriven} chosen from a list, ${done.failures} failed`,
      );
    });
}
