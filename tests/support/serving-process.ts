import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../../services/serving/server.js", import.meta.url));

export interface ServingProcess {
  readonly process: ChildProcess;
  readonly url: string;
  /** What it said when it began to listen. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Its log so far; it grows. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** Starts the API as its own process on a free port, and waits until it says that it listens. */
export async function spawnServer(environment: Record<string, string>): Promise<ServingProcess> {
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, PORT: "0", ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stderr });
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry.msg !== "listening" || typeof entry.url !== "string") return;
      resolve({ process: child, url: entry.url, ready: entry, log });
    });
    lines.once("close", () => reject(new Error("the server ended before it listened")));
  });
}

export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}
