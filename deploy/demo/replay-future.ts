import type { Config } from "../../services/config.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import { retry } from "../../services/waiting.ts";
import type { ApiClient } from "../client/api-client.ts";
import { followDecisions } from "../client/follow-decisions.ts";
import type { PreparedData } from "../data/prepare-data.ts";
import { type ReplayProgress, replay } from "../replay/replay.ts";
import { markReplay, replayFrom } from "../replay/replay-mark.ts";
import { count, day, percentOf } from "../terminal/figures.ts";
import { EXIT } from "../terminal/output.ts";
import { progressLine } from "../terminal/progress.ts";

export interface Future {
  readonly url: string;
  readonly key: string;
  readonly api: ApiClient;
  readonly prepared: PreparedData;
  readonly config: Config;
  readonly say: (text: string) => void;
  /** Events a second; 0 for as fast as it goes. */
  readonly speed: number;
  readonly listDriven?: boolean;
  /** Aborted when the demo ends early. */
  readonly signal: AbortSignal;
}

/** Marks the replay's progress this often, milliseconds. */
const MARK_INTERVAL_MS = 1000;

/** Plays what came after the cut as live traffic, and has it judged when the shadow has caught up. */
export async function replayFuture(future: Future): Promise<void> {
  const { url, key, api, prepared, config, say, speed, listDriven, signal } = future;
  const { log, cutAt, snapshot } = prepared;
  const from = await replayFrom(config.stateFolder, snapshot.sha256, cutAt);
  if (from >= log.timestamps.length) {
    say("\nWhat came after the cut was replayed by an earlier start");
    return;
  }
  const line = progressLine();
  const producers = createProducers(config, () => {});
  const decisions = await followDecisions(api, ({ challenger, baseline, sentence }) =>
    line.done(`  ⚖ ${challenger} against ${baseline}: ${sentence}`),
  );
  let marked: Promise<void> = Promise.resolve();
  /** One after the other, so that an earlier mark never replaces a later one. */
  const mark = (next: number): Promise<void> => {
    const write = () => markReplay(config.stateFolder, { snapshotSha256: snapshot.sha256, next });
    marked = marked.then(write, write);
    return marked;
  };
  let markedAt = performance.now();
  try {
    say("\nReplaying what came after the cut as live traffic");
    const done = await replay({
      url,
      key,
      log,
      from,
      eventsPerSecond: speed,
      listDriven,
      signal,
      onProgress: (progress) => {
        line.update(progressOf(progress));
        if (performance.now() - markedAt < MARK_INTERVAL_MS) return;
        markedAt = performance.now();
        void mark(from + progress.played).catch(() => {});
      },
    });
    await mark(done.gaveUp === null ? log.timestamps.length : from);
    if (done.gaveUp !== null) line.done(`  the replay ended early, a later start plays on: ${done.gaveUp}`);
    if (done.failures > 0) process.exitCode = EXIT.failed;
    line.done(summaryOf(done, listDriven === true));
    line.update("  waiting for the shadow to catch up");
    await idle(producers, "shadow", signal);
    const at = Date.now();
    await retry(() => producers.addJudge({ kind: "judge", record: true }, at), pauseMs);
    await idle(producers, "upkeep", signal);
    await decisions.stop();
  } finally {
    await producers.close();
  }
}

function progressOf({ played, total, eventTime, hits, failures }: ReplayProgress): string {
  const percent = percentOf(played, total).padStart(7);
  const failed = failures > 0 ? `, ${failures} failed` : "";
  return `  ${percent}  ${day(eventTime)}  ${count(played)} events, ${count(hits)} hits in the top 10${failed}`;
}

function summaryOf(done: ReplayProgress, listDriven: boolean): string {
  const { played, eventTime, hits, failures } = done;
  const lists = listDriven ? `, and ${percentOf(done.listDriven, played)} of the events name a list` : "";
  const failed = failures > 0 ? `; ${failures} failed` : "";
  return `  ${count(played)} events replayed through ${day(eventTime)}; the next item was in the top 10 ${percentOf(hits, played)} of the time${lists}${failed}`;
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
