import { MS_PER_DAY } from "../../models/data/day.ts";
import type { Config } from "../../services/config.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import { retry } from "../../services/waiting.ts";
import type { ApiClient } from "../client/api-client.ts";
import type { PreparedData } from "../data/prepare-data.ts";
import { type ReplayProgress, replay } from "../replay/replay.ts";
import { markReplay, replayFrom } from "../replay/replay-mark.ts";
import { count, day, percentOf } from "../terminal/figures.ts";
import { EXIT } from "../terminal/output.ts";
import type { ProgressLine } from "../terminal/progress.ts";
import { wrapped } from "../terminal/table.ts";
import { retrainOnSchedule } from "./retrain-on-schedule.ts";

export interface Future {
  readonly url: string;
  readonly key: string;
  readonly api: ApiClient;
  readonly prepared: PreparedData;
  readonly config: Config;
  readonly say: (text: string) => void;
  readonly line: ProgressLine;
  /** Hears of the event time that is reached. */
  readonly reach: (eventTime: number) => void;
  /** Events a second; 0 for as fast as it goes. */
  readonly speed: number;
  /** Days of event time between two retrains of the live recipe. */
  readonly retrainEvery?: number;
  readonly listDriven?: boolean;
  /** Aborted when the demo ends early. */
  readonly signal: AbortSignal;
}

/** Marks the replay's progress this often, milliseconds. */
const MARK_INTERVAL_MS = 1000;

/** Plays what came after the cut as live traffic, has it judged when the shadow has caught up, and sums it up. */
export async function replayFuture(future: Future): Promise<string | null> {
  const { url, key, api, prepared, config, say, line, reach, speed, listDriven, retrainEvery, signal } =
    future;
  const { log, cutAt, snapshot } = prepared;
  const from = await replayFrom(config.stateFolder, snapshot.sha256, cutAt);
  if (from >= log.timestamps.length) {
    say("What came after the cut was replayed by an earlier start");
    return null;
  }
  const producers = createProducers(config, () => {});
  const retrains = retrainOnSchedule(api);
  let marked: Promise<void> = Promise.resolve();
  /** One after the other, so that an earlier mark never replaces a later one. */
  const mark = (next: number): Promise<void> => {
    const write = () => markReplay(config.stateFolder, { snapshotSha256: snapshot.sha256, next });
    marked = marked.then(write, write);
    return marked;
  };
  let markedAt = performance.now();
  try {
    const done = await replay({
      url,
      key,
      log,
      from,
      eventsPerSecond: speed,
      listDriven,
      signal,
      ...(retrainEvery !== undefined && {
        schedule: { everyMs: retrainEvery * MS_PER_DAY, work: retrains.work },
      }),
      onProgress: (progress) => {
        reach(progress.eventTime);
        line.update(progressOf(progress));
        if (performance.now() - markedAt < MARK_INTERVAL_MS) return;
        markedAt = performance.now();
        void mark(from + progress.played).catch(() => {});
      },
    });
    await mark(done.gaveUp === null ? log.timestamps.length : from);
    if (done.gaveUp !== null) say(wrapped(`The replay ended early, a later start plays on: ${done.gaveUp}`));
    if (done.failures > 0) process.exitCode = EXIT.failed;
    line.update("  waiting for the shadow to catch up");
    await idle(producers, "shadow", signal);
    const at = Date.now();
    await retry(() => producers.addJudge({ kind: "judge", record: true }, at), pauseMs);
    await idle(producers, "upkeep", signal);
    return summaryOf(done, listDriven === true, retrainEvery === undefined ? null : retrains.count());
  } finally {
    await producers.close();
  }
}

function progressOf({ played, total, eventTime, hits, failures }: ReplayProgress): string {
  const percent = percentOf(played, total).padStart(7);
  const failed = failures > 0 ? `, ${failures} failed` : "";
  return `  ${percent}  ${day(eventTime)}  ${count(played)} events, ${count(hits)} hits in the top 10${failed}`;
}

function summaryOf(done: ReplayProgress, listDriven: boolean, retrained: number | null): string {
  const { played, eventTime, hits, failures } = done;
  const lists = listDriven ? `; ${percentOf(done.listDriven, played)} of the events name a list` : "";
  const again = retrained === null ? "" : `; the live recipe was retrained ${retrained} times`;
  const failed = failures > 0 ? `; ${failures} failed` : "";
  return `Replayed ${count(played)} events through ${day(eventTime)}: the next item was in the top 10 ${percentOf(hits, played)} of the time${lists}${again}${failed}.`;
}

/** A slow Redis is asked again, for a minute at most. */
const pauseMs = (attempt: number): number | null => (attempt < 30 ? 300 : null);

/** Waits until a queue has nothing to do; batches that replicas still hold arrive within their flush interval. */
async function idle(producers: JobProducers, queue: "shadow" | "upkeep", signal: AbortSignal): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pending = await retry(() => producers.pending(), pauseMs);
    quiet = pending[queue] === 0 ? quiet + 1 : 0;
  }
}
