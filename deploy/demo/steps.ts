import type { Config } from "../../services/config.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import { retry } from "../../services/waiting.ts";
import type { ApiClient } from "../client/api-client.ts";
import type { PreparedData } from "../data/prepare-data.ts";
import { ladderTable } from "../terminal/ladder-table.ts";
import { EXIT } from "../terminal/output.ts";
import { curlLines } from "./curl-lines.ts";
import { outcomeOfHarm, plantHarm } from "./plant-harm.ts";
import { replayFuture } from "./replay-future.ts";
import { A_A_CHALLENGE, CHALLENGES, type Challenge, makeFloorLive, trainChallengers } from "./train.ts";

export interface DemoOptions {
  readonly replay: boolean;
  readonly speed: number;
  readonly aA?: boolean;
  readonly plantHarm?: boolean;
  readonly listDriven?: boolean;
  readonly exit?: boolean;
}

/** The running service that the demo shows, and where its lines go. */
export interface Demo {
  readonly url: string;
  readonly key: string;
  readonly api: ApiClient;
  readonly prepared: PreparedData;
  readonly config: Config;
  readonly say: (text: string) => void;
  /** Time since the start, in words. */
  readonly elapsed: () => string;
  /** Aborted when the demo ends early. */
  readonly signal: AbortSignal;
}

/** The floor goes live, challengers are trained, the future is replayed and judged, the ladder is shown. */
export async function runSteps(demo: Demo, options: DemoOptions): Promise<void> {
  const { url, api, prepared, config, say, elapsed } = demo;
  await waitForApi(api);
  const floor = await makeFloorLive(api);
  say(`\nLive: ${floor.version}; ${url}/recommend answers, ${elapsed()} after the start`);
  say("\nTraining challengers");
  const { trained, failed } = await trainChallengers(api, say, challengesOf(options));
  if (failed > 0) process.exitCode = EXIT.failed;
  if (trained + failed === 0) say("  none is due");
  say(`  done, ${elapsed()}`);
  const planted = options.plantHarm === true ? await plantHarm(api, config) : null;
  if (planted !== null) say(`\nPlanted harm: ${planted}, the popularity list upside down, was forced live`);
  if (options.replay) await replayFuture({ ...demo, ...options });
  if (planted !== null) {
    const { rolledBack, words } = await outcomeOfHarm(api, planted);
    say(`\n${words}`);
    if (!rolledBack) process.exitCode = EXIT.failed;
  }
  const ladder = await api.get<Ladder>("/ladder");
  say(`\nThe ladder, ${elapsed()} after the start\n`);
  say(ladderTable(ladder));
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
