import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CODE } from "../../services/code-version.ts";
import { adminKey, type Config, loadConfig } from "../../services/config.ts";
import { whileRedisAnswers } from "../../services/health/require-redis.ts";
import { requireFreePort } from "../../services/serving/listening.ts";
import { apiClient } from "../client/api-client.ts";
import { ownUrl } from "../client/own-url.ts";
import { prepareData } from "../data/prepare-data.ts";
import { type ModeOptions, modeOf, type ReadingOptions, readingSettings } from "../data/reading-options.ts";
import { type ServiceProcess, startProcess } from "../processes/background.ts";
import { freePort } from "../processes/free-port.ts";
import { progressLine } from "../terminal/progress.ts";
import { wrapped } from "../terminal/table.ts";
import { type DemoOptions, runSteps } from "./steps.ts";

export interface StartOptions extends DemoOptions, ReadingOptions, ModeOptions {
  readonly data?: string;
  readonly port?: string;
  readonly cut: number;
}

/** From the compiled file to the one beside its source. */
const POLICY_OF_THE_DEMO = fileURLToPath(
  new URL("../../../deploy/demo/phasewise.policy.json", import.meta.url),
);

/** Prepares the data, starts the API and a worker, goes through the steps, and ends what it started. */
export async function start(options: StartOptions): Promise<void> {
  const startedAt = performance.now();
  const asked = loadConfig(process.env, { dataFolder: options.data, port: options.port });
  // The demo calls its own API, so "any free port" is settled here and not where the API listens.
  const port = asked.port === 0 ? await freePort() : asked.port;
  await requireFreePort({ ...asked, port });
  const config = { ...asked, port, policyFile: asked.policyFile ?? POLICY_OF_THE_DEMO };
  const key = config.adminKey ?? (await adminKey(config.stateFolder));
  const say = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  say(
    wrapped(
      `Phasewise ${CODE.version}, state in ${config.stateFolder}, operator key in ${config.adminKey === null ? `${config.stateFolder}/admin-key` : "PHASEWISE_ADMIN_KEY"}`,
    ),
  );

  const details = options.details === true;
  const line = progressLine(undefined, { unwatched: details });
  const settings = readingSettings(options);
  const prepared = await whileRedisAnswers(config, () =>
    prepareData(config, { cut: options.cut, say: line.update, settings, mode: modeOf(options) }),
  );
  for (const text of details ? prepared.lines : prepared.gist) say(wrapped(text));

  const processes: ServiceProcess[] = [];
  const early = new AbortController();
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve("interrupted"));
  });
  const crashed = new Promise<never>((_, reject) => process.once("uncaughtException", reject));
  crashed.catch(() => {});
  try {
    const environment = environmentOf(config, key);
    const logs = join(config.stateFolder, "logs");
    processes.push(await startProcess("api", "services/serving/server.js", logs, environment));
    processes.push(await startProcess("worker", "jobs/worker.js", logs, environment));
    const died = Promise.race(
      processes.map(({ name, logFile, ended }) =>
        ended.then((code) => {
          throw new Error(`the ${name} process ended with code ${code}; its log is ${logFile}`);
        }),
      ),
    );
    const url = ownUrl(config);
    const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
    const { signal } = early;
    const steps = runSteps(
      { url, key, api: apiClient(url, key), prepared, config, say, line, elapsed, signal },
      options,
    );
    steps.catch(() => {});
    await Promise.race([steps, died, interrupted, crashed]);
    if (options.exit !== true) await Promise.race([died, interrupted, crashed]);
  } finally {
    early.abort();
    await Promise.all(processes.map((process) => process.stop()));
  }
}

function environmentOf(
  config: Config & { readonly policyFile: string },
  key: string,
): Record<string, string> {
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
