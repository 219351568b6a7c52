import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/eventually.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { writeSmallData } from "../support/small-data.ts";
import { startWire, type Wire } from "../support/wire.ts";

const DEMO = fileURLToPath(new URL("../../deploy/demo/main.js", import.meta.url));
const DELAY_MS = 200;
const LONG_MS = 120_000;

describe("F4: npm start while every reply of Redis is 200 ms late", () => {
  let redis: PrivateRedis;
  let wire: Wire;
  let home: string;
  let data: string;
  const started: ChildProcess[] = [];

  /** The demo as its own process, and what it says. */
  const startDemo = (...flags: readonly string[]) => {
    const { PHASEWISE_PREFIX: _, ...environment } = process.env;
    const demo = spawn(process.execPath, [DEMO, "--port", "0", "--a-a", "--data", data, ...flags], {
      env: { ...environment, REDIS_URL: wire.url, PHASEWISE_HOME: home },
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.push(demo);
    const said: string[] = [];
    for (const stream of [demo.stdout, demo.stderr]) {
      createInterface({ input: stream }).on("line", (line) => said.push(line));
    }
    const says = (what: RegExp) =>
      eventually(
        () => {
          if (demo.exitCode !== null)
            throw new Error(`the demo ended with ${demo.exitCode}:\n${said.join("\n")}`);
          return said.some((line) => what.test(line));
        },
        `the demo says ${what}`,
        LONG_MS,
      );
    return { demo, says };
  };
  const exited = async (child: ChildProcess): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  };
  const allGone = (pids: readonly number[]) =>
    eventually(async () => (await Promise.all(pids.map(isAlive))).every((alive) => !alive), "all are gone");

  before(async () => {
    redis = await startRedis();
    wire = await startWire(redis.port);
    home = await mkdtemp(join(tmpdir(), "phasewise-slow-"));
    data = await writeSmallData(home);
  });
  after(async () => {
    for (const child of started) child.kill("SIGKILL");
    await wire.close();
    await redis.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });

  it("serves, trains and shows the ladder, and stops all it started when told to", {
    timeout: 2 * LONG_MS,
  }, async () => {
    wire.delayMs = DELAY_MS;
    const { demo, says } = startDemo("--no-replay");
    await says(/^Live: popularity-/);
    await says(/^The ladder, /);
    await says(/^Serving on/);
    const processes = await childrenOf(demo);
    assert.equal(processes.length, 2, "the API and the worker");
    demo.kill("SIGTERM");
    await exited(demo);
    await allGone(processes);
  });

  it("stops all it started in the midst of a replay", { timeout: LONG_MS }, async () => {
    const { demo, says } = startDemo();
    await says(/^Replaying what came after the cut/);
    const processes = await childrenOf(demo);
    assert.equal(processes.length, 2);
    demo.kill("SIGTERM");
    await exited(demo);
    await allGone(processes);
  });

  it("leaves nothing behind when it is killed -9 itself", { timeout: LONG_MS }, async () => {
    const { demo, says } = startDemo("--no-replay");
    await says(/^Serving on/);
    const processes = await childrenOf(demo);
    assert.equal(processes.length, 2);
    demo.kill("SIGKILL");
    await exited(demo);
    await allGone(processes);
  });
});

async function childrenOf({ pid }: ChildProcess): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8")),
  );
  return lists.join(" ").split(" ").filter(Boolean).map(Number);
}

/** A killed process whose parent is gone too may stay a zombie for a moment: it runs no more. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}
