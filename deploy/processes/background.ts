import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endsWithin } from "../../services/waiting.ts";

/** Longest a process may take to end by itself before it is killed, milliseconds. */
const GRACE_MS = 10_000;

export interface ServiceProcess {
  readonly name: string;
  readonly logFile: string;
  /** Resolves with the exit code when the process ends, for whatever reason. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts one of the service's own entry points, its output going to a log file under the state folder. */
export async function startProcess(
  name: string,
  entry: string,
  logFolder: string,
  environment: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  await mkdir(logFolder, { recursive: true });
  const logFile = join(logFolder, `${name}.log`);
  const file = fileURLToPath(new URL(`../../${entry}`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    // By the channel it notices that this process is gone, and ends.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, ...environment },
  });
  const log = createWriteStream(logFile, { flags: "a" });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  return { name, logFile, ended, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  // Training children of a worker that is killed end by themselves: their channel to it closes.
  if (await endsWithin(GRACE_MS, ended)) return;
  child.kill("SIGKILL");
  await ended;
}
