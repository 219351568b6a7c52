import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Config } from "../../services/config.ts";
import { loadConfig } from "../../services/config.ts";
import { type PrivateRedis, startRedis } from "./redis.ts";
import { onTerminal } from "./terminal.ts";

const ADMIN_KEY = "a key for tests only";

const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SERVER = built("services/serving/server.js");
const WORKER = built("jobs/worker.js");
const CLI = built("deploy/cli/main.js");

/** A real process of the service that has said it is ready. */
export interface Running {
  readonly process: ChildProcess;
  /** The log entry with which it said so. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Ends it as an operator does (SIGTERM) unless told otherwise, and waits for it. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A whole installation of its own: Redis, state folder, policy file, and the processes started from it. */
export interface Service {
  readonly redis: PrivateRedis;
  readonly home: string;
  readonly key: string;
  readonly config: Config;
  /** `settings` go before those of the service. */
  startApi(settings?: Readonly<Record<string, string>>): Promise<Running & { readonly url: string }>;
  /** `entry` is a compiled file that runs a worker; by default the service's own. `settings` as above. */
  startWorker(entry?: string, settings?: Readonly<Record<string, string>>): Promise<Running>;
  /** Runs the command line as its own process; `url` is where it finds the API. */
  cli(
    words: readonly string[],
    url?: string,
    settings?: Readonly<Record<string, string>>,
  ): Promise<CliResult>;
  /** The same on a terminal, where it may ask: `answer` is typed once `question` stands there. */
  ask(words: readonly string[], url: string, question: RegExp, answer: string): ReturnType<typeof onTerminal>;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** A Redis that others use too: who started it stops it. */
  readonly shared?: { readonly redis: PrivateRedis; readonly prefix: string };
  /** May fill the state folder and Redis before anything starts, as an earlier run would have left them. */
  readonly restore?: (home: string, redis: PrivateRedis) => Promise<void>;
}

export async function startService(
  policy: object,
  { shared, restore }: ServiceOptions = {},
): Promise<Service> {
  const redis = shared?.redis ?? (await startRedis());
  const home = await mkdtemp(join(tmpdir(), "phasewise-home-"));
  await restore?.(home, redis);
  const policyFile = join(home, "policy.json");
  await writeFile(policyFile, JSON.stringify({ formatVersion: 1, ...policy }));
  const settings = {
    REDIS_URL: redis.url,
    ...(shared === undefined ? {} : { PHASEWISE_PREFIX: shared.prefix }),
    PHASEWISE_HOME: home,
    PHASEWISE_POLICY: policyFile,
    PHASEWISE_ADMIN_KEY: ADMIN_KEY,
    PHASEWISE_THREADS: "1",
    PHASEWISE_LOG_LEVEL: "info",
  };
  const environment = { ...process.env, ...settings, PORT: "0" };
  const started: ChildProcess[] = [];

  const start = async (file: string, readyMessage: string, settings = {}): Promise<Running> => {
    const env = { ...environment, ...settings };
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "ignore", "pipe"] });
    started.push(child);
    const ready = await readyEntry(child, readyMessage);
    return { process: child, ready, stop: (signal = "SIGTERM") => end(child, signal) };
  };
  return {
    redis,
    home,
    key: ADMIN_KEY,
    config: loadConfig(settings),
    startApi: async (settings) => {
      const api = await start(SERVER, "listening", settings);
      return { ...api, url: String(api.ready.url) };
    },
    startWorker: (entry = WORKER, settings) => start(entry, "worker ready", settings),
    cli: async (words, url, settings = {}) => {
      const child = spawn(process.execPath, [CLI, ...words], {
        env: { ...environment, PORT: url === undefined ? "1" : new URL(url).port, ...settings },
        stdio: ["ignore", "pipe", "pipe"],
      });
      started.push(child);
      const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
      await ended(child);
      return { code: child.exitCode, stdout, stderr };
    },
    ask: (words, url, question, answer) =>
      onTerminal(
        [process.execPath, CLI, ...words],
        { ...environment, PORT: new URL(url).port },
        question,
        answer,
      ),
    stop: async () => {
      await Promise.all(started.map((child) => end(child, "SIGKILL")));
      if (shared === undefined) await redis.stop();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Reads the log until the entry appears, and goes on draining it. Lines that are not JSON are kept for the error. */
async function readyEntry(child: ChildProcess, message: string): Promise<Record<string, unknown>> {
  const { stderr } = child;
  if (stderr === null) throw new Error("the process has no log to read");
  const lines = createInterface({ input: stderr });
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      said.push(line);
      if (said.length > 50) said.shift();
      if (!line.startsWith("{")) return;
      const entry = JSON.parse(line) as Record<string, unknown>;
      if (entry.msg === message) resolve(entry);
    });
    lines.once("close", () =>
      reject(new Error(`expected the log entry "${message}", the process ended with:\n${said.join("\n")}`)),
    );
  });
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await ended(child);
}
