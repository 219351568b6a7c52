import type { Redis } from "ioredis";
import { cutPosition, type InteractionLog } from "../../models/data/interaction-log.ts";
import { sliceLog } from "../../models/data/slice.ts";
import type { Config } from "../../services/config.ts";
import { PhasewiseError } from "../../services/errors.ts";
import { writeCatalogue } from "../../services/interactions/catalogue-file.ts";
import { readErased, withoutErased } from "../../services/interactions/erased-users.ts";
import type { SettingsGiven } from "../../services/interactions/import/import-settings.ts";
import { explainReport } from "../../services/interactions/import/report.ts";
import type { Snapshot } from "../../services/interactions/snapshot.ts";
import { whileWriting } from "../../services/interactions/writing-lock.ts";
import { connectRedis } from "../../services/redis.ts";
import { openStores } from "../../services/storage/open-store.ts";
import { count, day } from "../terminal/figures.ts";
import { beginAnew } from "./begin-anew.ts";
import { openData } from "./open-data.ts";
import { replaceImport } from "./replace-import.ts";
import { writeHistories } from "./write-histories.ts";

export interface PreparedData {
  /** The whole log, past and future. */
  readonly log: InteractionLog;
  /** First event that was kept back to be replayed; the log's length when nothing was. */
  readonly cutAt: number;
  readonly snapshot: Snapshot;
  /** For people; `gist` is what nobody should miss of it. */
  readonly lines: readonly string[];
  readonly gist: readonly string[];
  /** For programs. */
  readonly summary: Readonly<Record<string, unknown>>;
}

export interface PrepareOptions {
  /** Share of the events, by time, that becomes the past; null for all. */
  readonly cut: number | null;
  readonly say: (message: string) => void;
  /** How the file is to be read, where the user says so. */
  readonly settings?: SettingsGiven | undefined;
  /**
   * What becomes of the data that is there: replaced by newer of the same kind, added to, or forgotten with its ladder.
   */
  readonly mode?: "replace" | "append" | "anew" | undefined;
}

/** Longest that an import waits for what else writes the data. */
const WAIT_MS = 10 * 60_000;

/** Finds and validates the data, cuts it by time, and writes the past as the snapshot that models train on. */
export async function prepareData(config: Config, options: PrepareOptions): Promise<PreparedData> {
  const start = performance.now();
  const { log: read, catalogue, report, found } = await openData(config, options.say, options.settings);
  const mode = options.mode === "append" ? "append" : "replace";
  const { aside, replaced, seeded, log, cutAt, erased } = await whileAloneIn(
    config,
    options.say,
    async (redis) => {
      const aside = options.mode === "anew" ? await beginAnew(config, Date.now()) : null;
      const stores = openStores(config);
      const { log, ...erased } = withoutErased(read, await readErased(redis));
      const cutAt = options.cut === null ? log.timestamps.length : Math.max(1, cutPosition(log, options.cut));
      if (mode === "replace") requireInterest(log, cutAt);
      options.say("writing the snapshot");
      const replaced = await replaceImport(stores.snapshot, sliceLog(log, 0, cutAt), catalogue, mode);
      await writeCatalogue(replaced.catalogue, stores.snapshot);
      const { gone, imported } = replaced;
      const seeded = await writeHistories(config, replaced.log, gone, imported.sha256, (users, total) =>
        options.say(`user histories ${Math.floor((100 * users) / total)} %  ${count(users)} users`),
      );
      return { aside, replaced, seeded, log, cutAt, erased };
    },
  );
  const snapshot = replaced.imported;
  const events = log.timestamps.length;

  const { added, removed, gone, live } = replaced;
  const seconds = (performance.now() - start) / 1000;
  const understood = report === null ? [] : explainReport(report);
  const told = (explained: readonly string[]): string[] => [
    found.reason,
    `${count(events)} events of ${count(log.users.size)} users on ${count(log.items.size)} items, ready in ${seconds.toFixed(1)} s`,
    ...explained,
    ...(erased.events === 0
      ? []
      : [
          `${count(erased.events)} events of ${count(erased.users)} users stay out: they happened before these users were erased`,
        ]),
    ...(aside === null ? [] : [`what was there before was moved to ${aside}`]),
    ...(replaced.first
      ? []
      : [
          `${mode === "append" ? "added to" : "replaced"} what was imported before: ${count(added)} events new, ${count(removed)} gone, ${count(gone.length)} users gone; ${count(live)} live events stay`,
        ]),
    ...(cutAt === events
      ? []
      : [
          `the first ${count(cutAt)}, through ${day(log.timestamps[cutAt - 1])}, train; the ${count(events - cutAt)} after them will be replayed as live traffic`,
        ]),
  ];
  return {
    log,
    cutAt,
    snapshot,
    lines: told(understood),
    gist: told(understood.filter((line) => !report?.columns.includes(line.trim()))),
    summary: {
      ...found,
      ...report,
      snapshot,
      cutAt,
      added,
      removed,
      usersGone: gone.length,
      live,
      erased: erased.events,
      seeded,
      seconds,
    },
  };
}

/** Without an event of interest there is nothing that could be recommended to anybody. */
function requireInterest({ weights }: InteractionLog, cutAt: number): void {
  if (weights.subarray(0, cutAt).some((weight) => weight > 0)) return;
  throw new PhasewiseError(
    "INVALID_DATA",
    `import: expected an event of interest among the ${count(cutAt)} to learn from, got only such that weigh 0 (exposure) or less (against); ` +
      "weigh their types above 0 in the policy or in phasewise.import.json (events), or bring events of interest too",
  );
}

/** Compactions, erasures and other imports wait meanwhile, and this one for them. */
async function whileAloneIn<T>(
  config: Config,
  say: PrepareOptions["say"],
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = connectRedis(config, "patient", () => {});
  const onWait = (holder: string): void => say(`waiting for ${holder} to end`);
  try {
    return await whileWriting(redis, { what: "an import", waitMs: WAIT_MS, onWait }, () => work(redis));
  } finally {
    redis.disconnect();
  }
}
