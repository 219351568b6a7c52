import { type Command, Option } from "commander";
import { columnChoices, type SettingsGiven } from "../../services/interactions/import/import-settings.ts";

/** What a user may say about a file of interactions; phasewise.import.json beside it says the same. */
export interface ReadingOptions {
  readonly columns?: string;
  readonly delimiter?: string;
  readonly decimal?: "." | ",";
  readonly dates?: string;
  readonly header?: "yes" | "no";
  readonly encoding?: string;
  readonly layout?: "netflix" | "lists" | "table";
}

/** What becomes of the data that is there. */
export interface ModeOptions {
  readonly append?: boolean;
  readonly replace?: boolean;
}

export function withModeOptions(command: Command): Command {
  return command
    .addOption(new Option("--append", "add to what was imported before instead of replacing it"))
    .addOption(
      new Option(
        "--replace",
        "begin anew with other data: forget the ladder, the histories and the snapshots that are there",
      ).conflicts("append"),
    );
}

export const modeOf = ({ append, replace }: ModeOptions): "append" | "anew" | "replace" =>
  append === true ? "append" : replace === true ? "anew" : "replace";

export function withReadingOptions(command: Command): Command {
  return command
    .option(
      "--columns <parts>",
      "columns by name or number, as in user=customer_id,item=3,time=none (parts: user, item, time, rating, type, weight, title)",
    )
    .option("--delimiter <text>", "what stands between two cells (also: tab, space)")
    .addOption(new Option("--decimal <mark>", "decimal mark").choices([".", ","]))
    .option(
      "--dates <format>",
      "iso, unix-s, unix-ms, unix-us, unix-days, or a pattern such as DD.MM.YYYY HH:mm",
    )
    .addOption(
      new Option("--header <yes|no>", "whether the first line names the columns").choices(["yes", "no"]),
    )
    .option("--encoding <name>", "of the letters, such as latin1, windows-1251 or shift_jis")
    .addOption(new Option("--layout <name>", "of the file").choices(["table", "lists", "netflix"]));
}

/** The settings among the options of a command; the rest of its options stays out. */
export function readingSettings(options: ReadingOptions): SettingsGiven {
  const { columns, delimiter, decimal, dates, header, encoding, layout } = options;
  const given = { delimiter, decimal, dates, header, encoding, layout };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(said),
    ...(columns === undefined ? {} : { columns: columnChoices(columns) }),
  };
}
