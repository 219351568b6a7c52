import type { Config } from "../../services/config.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import { retry } from "../../services/waiting.ts";
import type { ApiClient } from "../client/api-client.ts";
import type { PreparedData } from "../data/prepare-data.ts";
import { figuresTable, ladderInWords, ladderTable } from "../terminal/ladder-table.ts";
import { EXIT } from "../terminal/output.ts";
import { jobProgress, type ProgressLine } from "../terminal/progress.ts";
import { wrapped } from "../terminal/table.ts";
import { curlLines } from "./curl-lines.ts";
import { outcomeOfHarm, plantHarm } from "./plant-harm.ts";
import { replayFuture } from "./replay-future.ts";
import { tellStory } from "./story.ts";
import { STORY_HEAD } from "./story-line.ts";
import { A_A_CHALLENGE, CHALLENGES, type Challenge, makeFloorLive, trainChallengers } from "./train.ts";

export interface DemoOptions {
  readonly replay: boolean;
  readonly speed: number;
  readonly aA?: boolean;
  readonly plantHarm?: boolean;
  readonly listDriven?: boolean;
  /** Days of event time. */
  readonly retrainEvery?: number;
  readonly exit?: boolean;
  readonly details?: boolean;
}

/** The running service that the demo shows, and where its lines go. */
export interface Demo {
  readonly url: string;
  readonly key: string;
  readonly api: ApiClient;
  readonly prepared: PreparedData;
  readonly config: Config;
  readonly say: (text: string) => void;
  readonly line: ProgressLine;
  /** Time since the start, in words. */
  readonly elapsed: () => string;
  /** Aborted when the demo ends early. */
  readonly signal: AbortSignal;
}

/**
 * The floor goes live, challengers are trained, the future is replayed and judged: what becomes of whom is told as it
 * happens. Then the ladder is shown.
 */
export async function runSteps(demo: Demo, options: DemoOptions): Promise<void> {
  const { url, api, prepared, config, say, line, elapsed } = demo;
  await waitForApi(api);
  const reached = { at: prepared.log.timestamps[Math.max(0, prepared.cutAt - 1)] };
  let above = say;
  const story = await tellStory(api, {
    say: (text) => above(text),
    now: () => reached.at,
    isSchedule: options.retrainEvery !== undefined,
    details: options.details === true,
  });
  const { version } = await makeFloorLive(api);
  say(`\nLive: ${version}; ${url}/recommend answers (${elapsed()})`);
  say(STORY_HEAD);
  await story.catchUp();
  const progress = jobProgress(say);
  above = progress.say;
  const { failed } = await trainChallengers(api, progress, challengesOf(options)).finally(progress.stop);
  await story.catchUp();
  above = (text) => {
    line.clear();
    say(text);
  };
  if (failed > 0) process.exitCode = EXIT.failed;
  const trainedAt = elapsed();
  const planted = options.plantHarm === true ? await plantHarm(api, config) : null;
  if (options.replay) say("Replaying what came after the cut as live traffic");
  const summary = options.replay
    ? await replayFuture({ ...demo, ...options, say: above, reach: (eventTime) => (reached.at = eventTime) })
    : null;
  await story.stop();
  line.clear();
  if (summary !== null) say(wrapped(summary));
  if (planted !== null) {
    const { rolledBack, words } = await outcomeOfHarm(api, planted);
    say(wrapped(words));
    if (!rolledBack) process.exitCode = EXIT.failed;
  }
  const ladder = await api.get<Ladder>("/ladder");
  say(`\nThe ladder, ${elapsed()} after the start (trained after ${trainedAt})`);
  say(options.details === true ? `${ladderInWords(ladder)}\n\n${figuresTable(ladder)}` : ladderTable(ladder));
  if (options.exit === true) {
    say("\nAll of it is kept: without --exit the next start serves it, and prints what to try.");
    return;
  }
  say(`\n${curlLines(url, ladder, prepared.log, config.stateFolder)}`);
  say("\nServing on; Ctrl-C ends everything that was started.");
}

function challengesOf({ aA, plantHarm }: DemoOptions): readonly Challenge[] {
  if (plantHarm === true) return [];
  return aA === true ? [A_A_CHALLENGE] : CHALLENGES;
}

/**
 * The API listens within a second of its start, or several on a busy machine. If it cannot, its process ends, and
 * that is what the user reads.
 */
async function waitForApi(api: ApiClient): Promise<void> {
  await retry(
    () => api.get("/healthz"),
    (attempt) => (attempt < 600 ? 100 : null),
  );
}
