import { type Command, InvalidArgumentError, Option } from "commander";
import { CODE } from "../../../services/code-version.ts";
import { adminKey, type Config, loadConfig } from "../../../services/config.ts";
import { createProducers, type JobProducers } from "../../../services/queues/producers.ts";
import { statePaths } from "../../../services/state-folder.ts";
import { CHALLENGES, type Challenge, raiseFloor, TWIN, trainChallengers } from "../../demo/climb.ts";
import { curlLines } from "../../demo/curl-lines.ts";
import { announceDecisions } from "../../demo/decisions.ts";
import { freePort } from "../../demo/free-port.ts";
import { type Ladder, ladderTable } from "../../demo/ladder-table.ts";
import { fateOfHarm, plantHarm } from "../../demo/plant-harm.ts";
import { day, type PreparedData, prepareData } from "../../demo/prepare-data.ts";
import { type ServiceProcess, startProcess } from "../../demo/processes.ts";
import { markReplay, replayFrom } from "../../demo/replay-progress.ts";
import { replay } from "../../replay/replay.ts";
import { type ApiClient, apiClient } from "../api-client.ts";
import { EXIT, progressLine } from "../output.ts";
import { wholeNumber } from "./train.ts";

interface StartOptions {
  readonly data?: string;
  readonly port?: string;
  readonly cut: number;
  readonly replay: boolean;
  readonly speed: number;
  readonly aA?: boolean;
  readonly plantHarm?: boolean;
  readonly listDriven?: boolean;
  readonly exit?: boolean;
}

type DemoConfig = Config & { readonly policyFile: string };

const POLICY_OF_THE_DEMO = "deploy/demo/phasewise.policy.json";

export function startVerb(program: Command): void {
  program
    .command("start")
    .description("the whole ladder on one machine: import, train, replay, judge, serve")
    .option(
      "--data <path>",
      "MovieLens folder or interactions file (default: PHASEWISE_DATA, a download, or synthetic)",
    )
    .option("--port <port>", "port of the API, 0 for any free one (default 3000)")
    .option("--cut <share>", "share of the events that trains; the rest is replayed", share, 0.6)
    .option("--no-replay", "stop after training")
    .option("--speed <n>", "events a second in the replay; 0 for as fast as it goes", wholeNumber, 0)
    .option("--a-a", "A/A test of the gate: the only challenger is the live model once more")
    .addOption(
      new Option(
        "--plant-harm",
        "test of the watch: no challengers, but a harmful version is forced live before the replay",
      ).conflicts("aA"),
    )
    .option("--list-driven", "replay users who choose from the lists they were shown")
    .option("--exit", "end after the ladder table instead of serving on")
    .action(start);
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError(`expected a share between 0 and 1, got ${text}`);
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function start(options: StartOptions): Promise<void> {
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const asked = loadConfig(process.env, { dataFolder: options.data, port: options.port });
  // The demo calls its own API, so "any free port" is settled here and not where the API listens.
  const port = asked.port === 0 ? await freePort() : asked.port;
  const policyFile = asked.policyFile ?? POLICY_OF_THE_DEMO;
  const config = { ...asked, port, policyFile };
  const key = config.adminKey ?? (await adminKey(config.stateFolder));
  say(`Phasewise ${CODE.version}, state in ${config.stateFolder}, operator key ${key}`);

  const line = progressLine();
  const prepared = await prepareData(config, { cut: options.cut, say: line.update });
  for (const text of prepared.lines) say(text);

  const processes: ServiceProcess[] = [];
  const stopAll = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.stop()));
  };
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("interrupted"));
  });
  try {
    const environment = environmentOf(config, key);
    const { logs } = statePaths(config.stateFolder);
    processes.push(await startProcess("api", "services/serving/server.js", logs, environment));
    processes.push(await startProcess("worker", "jobs/worker.js", logs, environment));
    const died = Promise.race(
      processes.map(({ name, logFile, ended }) =>
        ended.then((code) => {
          throw new Error(`the ${name} process ended with code ${code}; its log is ${logFile}`);
        }),
      ),
    );
    const api = apiClient(`http://127.0.0.1:${config.port}`, key);
    const story = climb(api, prepared, config, options, elapsed);
    await Promise.race([story, died, interrupted]);
    if (options.exit !== true) await Promise.race([died, interrupted]);
  } finally {
    await stopAll();
  }
}

function challengesOf({ aA, plantHarm }: StartOptions): readonly Challenge[] {
  if (plantHarm === true) return [];
  return aA === true ? [TWIN] : CHALLENGES;
}

function environmentOf(config: DemoConfig, key: string): Record<string, string> {
  return {
    REDIS_URL: config.redisUrl,
    PHASEWISE_PREFIX: config.prefix,
    PORT: String(config.port),
    PHASEWISE_HOME: config.stateFolder,
    PHASEWISE_ADMIN_KEY: key,
    PHASEWISE_POLICY: config.policyFile,
    // Two trainings run side by side on the two cores of a small machine.
    PHASEWISE_THREADS: process.env.PHASEWISE_THREADS ?? "1",
  };
}

async function climb(
  api: ApiClient,
  prepared: PreparedData,
  config: Config,
  options: StartOptions,
  elapsed: () => string,
): Promise<void> {
  const url = `http://127.0.0.1:${config.port}`;
  await answering(api);
  const floor = await raiseFloor(api);
  say(`\nLive: ${floor.version}; ${url}/recommend answers, ${elapsed()} after the start`);
  say("\nTraining challengers");
  const { trained, failed } = await trainChallengers(api, say, challengesOf(options));
  if (failed > 0) process.exitCode = EXIT.failed;
  if (trained + failed === 0) say("  none is due");
  say(`  done, ${elapsed()}`);
  const planted = options.plantHarm === true ? await plantHarm(api, config) : null;
  if (planted !== null) say(`\nPlanted harm: ${planted}, the popularity list upside down, was forced live`);
  if (options.replay) await playFuture(api, prepared, config, url, options);
  if (planted !== null) {
    const { rolledBack, words } = await fateOfHarm(api, planted);
    say(`\n${words}`);
    if (!rolledBack) process.exitCode = EXIT.failed;
  }
  const ladder = await api.get<Ladder>("/ladder");
  say(`\nThe ladder, ${elapsed()} after the start\n`);
  say(ladderTable(ladder));
  say(`\n${curlLines(url, ladder, prepared.log, config.stateFolder)}`);
  if (options.exit !== true) say("\nServing on; Ctrl-C ends everything that was started.");
}

/**
 * The API listens within a second of its start, or several on a busy machine. If it cannot, its process ends and
 * that is what is told.
 */
async function answering(api: ApiClient): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await api.get("/healthz");
      return;
    } catch (error) {
      if (attempt === 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Marks the replay's progress this often, milliseconds. */
const MARK_INTERVAL_MS = 1000;

async function playFuture(
  api: ApiClient,
  prepared: PreparedData,
  config: Config,
  url: string,
  { speed, listDriven }: StartOptions,
): Promise<void> {
  const { log, cutAt, snapshot } = prepared;
  const from = await replayFrom(config.stateFolder, snapshot.sha256, cutAt);
  if (from >= log.timestamps.length) {
    say("\nWhat came after the cut was replayed by an earlier start");
    return;
  }
  const line = progressLine();
  const producers = createProducers(config, () => {});
  const decisions = await announceDecisions(api, (text) => line.done(text));
  let marked: Promise<void> = Promise.resolve();
  /** One after the other, so that an earlier mark never replaces a later one. */
  const mark = (next: number): Promise<void> => {
    const write = () => markReplay(config.stateFolder, { snapshotSha256: snapshot.sha256, next });
    marked = marked.then(write, write);
    return marked;
  };
  let markedAt = performance.now();
  say("\nReplaying what came after the cut as live traffic");
  const done = await replay({
    url,
    log,
    from,
    eventsPerSecond: speed,
    listDriven,
    onProgress: ({ played, total, eventTime, hits, failures }) => {
      line.update(
        `  ${((played / total) * 100).toFixed(1).padStart(5)} %  ${day(eventTime)}  ${played.toLocaleString("en-US")} events, ${hits.toLocaleString("en-US")} hits in the top 10${failures > 0 ? `, ${failures} failed` : ""}`,
      );
      if (performance.now() - markedAt < MARK_INTERVAL_MS) return;
      markedAt = performance.now();
      void mark(from + played).catch(() => {});
    },
  });
  await mark(log.timestamps.length);
  if (done.failures > 0) process.exitCode = EXIT.failed;
  const lists = listDriven
    ? `, and ${percentOf(done.listDriven, done.played)} of the events name a list`
    : "";
  const failed = done.failures > 0 ? `; ${done.failures} failed` : "";
  line.done(
    `  ${done.played.toLocaleString("en-US")} events replayed through ${day(done.eventTime)}; the next film was in the top 10 ${percentOf(done.hits, done.played)} of the time${lists}${failed}`,
  );
  line.update("  waiting for the shadow to catch up");
  await idle(producers, "shadow");
  await producers.addJudge({ kind: "judge", record: true }, Date.now());
  await idle(producers, "upkeep");
  await decisions.stop();
  await producers.close();
}

function percentOf(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/** Waits until a queue has nothing to do; batches that replicas still hold arrive within their flush interval. */
async function idle(producers: JobProducers, queue: "shadow" | "upkeep"): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    quiet = (await producers.pending())[queue] === 0 ? quiet + 1 : 0;
  }
}
