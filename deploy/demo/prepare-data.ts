import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cutPosition, type InteractionLog } from "../../models/data/interaction-log.ts";
import { sliceLog } from "../../models/data/slice.ts";
import type { Config, Installation } from "../../services/config.ts";
import { formatCatalogue } from "../../services/interactions/catalogue-file.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { findData, loadData } from "../../services/interactions/find-data.ts";
import type { ImportProgress } from "../../services/interactions/import.ts";
import { explainRejections } from "../../services/interactions/rejections.ts";
import { type Snapshot, writeSnapshot } from "../../services/interactions/snapshot.ts";
import type { FeedbackEvent } from "../../services/interactions/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { statePaths } from "../../services/state-folder.ts";

export interface PreparedData {
  /** The whole log, past and future. */
  readonly log: InteractionLog;
  /** First event that was kept back to be replayed; the log's length when nothing was. */
  readonly cutAt: number;
  readonly snapshot: Snapshot;
  /** For people. */
  readonly lines: readonly string[];
  /** For programs. */
  readonly summary: Readonly<Record<string, unknown>>;
}

export interface PrepareOptions {
  /** Share of the events, by time, that becomes the past; null for all. */
  readonly cut: number | null;
  readonly say: (message: string) => void;
}

/** Events handed to Redis in one batch while histories are seeded. */
const SEED_BATCH = 5000;

/** Finds and validates the data, cuts it by time, and writes the past as the snapshot that models train on. */
export async function prepareData(config: Config, options: PrepareOptions): Promise<PreparedData> {
  const start = performance.now();
  const { log, catalogue, report, found } = await openData(config, options.say);
  const events = log.timestamps.length;
  const cutAt = options.cut === null ? events : cutPosition(log, options.cut);
  const past = sliceLog(log, 0, cutAt);
  const paths = statePaths(config.stateFolder);
  options.say("writing the snapshot");
  const snapshot = await writeSnapshot(past, catalogue, paths.snapshot);
  await writeFile(paths.catalogue, formatCatalogue(catalogue));
  options.say("seeding user histories");
  const seeded = await seedHistories(config, past, snapshot.sha256);

  const seconds = (performance.now() - start) / 1000;
  const number = (value: number): string => value.toLocaleString("en-US");
  const lines = [
    found.reason,
    `${number(events)} events of ${number(log.users.size)} users on ${number(log.items.size)} items, ready in ${seconds.toFixed(1)} s`,
    ...(report === null ? [] : explainRejections(report.rejected)),
    ...(cutAt === events
      ? []
      : [
          `the first ${number(cutAt)}, through ${day(past.timestamps[cutAt - 1])}, train; the ${number(events - cutAt)} after them will be replayed as live traffic`,
        ]),
  ];
  return { log, cutAt, snapshot, lines, summary: { ...found, ...report, snapshot, cutAt, seeded, seconds } };
}

/** The data as the configuration names it, read and validated. */
export async function openData(config: Config, say: (message: string) => void) {
  say("looking for data");
  const cacheFolder = join(config.stateFolder, "data");
  const found = await findData({ source: config.dataFolder ?? undefined, cacheFolder });
  const onProgress = ({ fraction, message }: ImportProgress): void =>
    say(`import ${(fraction * 100).toFixed(0).padStart(3)} %  ${message}`);
  return { ...(await loadData(found, { now: Date.now(), onProgress })), found };
}

async function seedHistories(
  installation: Installation,
  past: InteractionLog,
  snapshotSha256: string,
): Promise<number> {
  const redis = connectRedis(installation, "patient", () => {});
  try {
    return await redisEventLog(redis).seed(batches(past), snapshotSha256);
  } finally {
    redis.disconnect();
  }
}

function* batches(log: InteractionLog): Generator<FeedbackEvent[]> {
  for (let from = 0; from < log.timestamps.length; from += SEED_BATCH) {
    const batch: FeedbackEvent[] = [];
    for (let event = from; event < Math.min(from + SEED_BATCH, log.timestamps.length); event++) {
      batch.push({
        eventId: `import-${event}`,
        userId: log.users.idAt(log.userIndex[event]),
        itemId: log.items.idAt(log.itemIndex[event]),
        type: "rating",
        rating: log.weights[event],
        timestamp: log.timestamps[event],
      });
    }
    yield batch;
  }
}

export function day(timestamp: number): string {
  return new Date(timestamp).toISOString().slice(0, 10);
}
