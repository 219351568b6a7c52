import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../deploy/processes/free-port.ts";

export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  /** Stops answering without closing connections, as a stuck server does. */
  pause(): void;
  resume(): void;
  /** kill -9, as the kernel's out-of-memory killer does. */
  kill(): Promise<void>;
  /** Starts again on the same port with the same append-only file. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A port that was free may be taken before Redis listens there. */
const MOST_TRIES = 5;

/** A real redis-server of the test's own: free port, own folder, AOF on, noeviction. */
export async function startRedis(extraArguments: readonly string[] = []): Promise<PrivateRedis> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOn(await freePort(), extraArguments);
    } catch (error) {
      if (tries === MOST_TRIES) throw error;
    }
  }
}

async function startOn(port: number, extraArguments: readonly string[]): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), "phasewise-redis-"));
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const flags = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder,
      "--save",
      "",
      "--loglevel",
      "warning",
    ];
    server = spawn(
      "redis-server",
      [...flags, "--appendonly", "yes", "--maxmemory-policy", "noeviction", ...extraArguments],
      {
        stdio: "ignore",
      },
    );
    server.once("error", (error) => {
      throw new Error(`tests need redis-server on PATH (apt-get install redis-server): ${error.message}`);
    });
    const starting = server;
    const probe = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    probe.on("error", () => {});
    const ended = once(starting, "exit").then(([code]) => {
      throw new Error(`redis-server on port ${port}: expected it to start, but it ended with ${code}`);
    });
    try {
      await Promise.race([probe.ping(), ended]);
    } finally {
      ended.catch(() => {});
      probe.disconnect();
    }
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGCONT");
    running.kill(signal);
    await exited;
  };

  await start();
  return {
    url,
    port,
    pause: () => server?.kill("SIGSTOP"),
    resume: () => server?.kill("SIGCONT"),
    kill: () => kill("SIGKILL"),
    restart: start,
    stop: async () => {
      await kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
