import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/eventually.ts";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "./rig.ts";

const SERVER = fileURLToPath(new URL("../../../services/serving/server.js", import.meta.url));

interface Served {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Starts the server as its own process on a free port and waits until it says that it listens. */
async function spawnServer(environment: Record<string, string>): Promise<Served> {
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, PORT: "0", PHASEWISE_ADMIN_KEY: ADMIN_KEY, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: child.stderr })) {
    const entry = JSON.parse(line) as { msg: string; url?: string };
    if (entry.msg === "listening" && entry.url !== undefined) {
      child.stderr.resume();
      return { process: child, url: entry.url };
    }
  }
  throw new Error("the server ended before it listened");
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

describe("the server as a process", () => {
  let rig: Rig;
  const started: ChildProcess[] = [];

  const start = async (): Promise<Served> => {
    const served = await spawnServer({ REDIS_URL: rig.redis.url, PHASEWISE_HOME: rig.folder });
    started.push(served.process);
    return served;
  };
  const getJson = async (url: string) =>
    (await fetch(url, { headers: BEARER })).json() as Promise<Record<string, never>>;

  before(async () => {
    rig = await startRig();
  });
  after(async () => {
    for (const child of started) child.kill("SIGKILL");
    await rig.stop();
  });

  it("listens on loopback before anything is live, and hears of the first promotion made elsewhere", async () => {
    const { url } = await start();
    assert.match(url, /^http:\/\/127\.0\.0\.1:/);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    const version = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${version}/promote`).set(BEARER).send(first).expect(200);
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, "ready");
    const { model } = await getJson(`${url}/recommend`);
    assert.equal((model as { version: string }).version, version);
  });

  it("ends on SIGTERM under load without cutting a reply off", async () => {
    const { process: child, url } = await start();
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, "ready");
    const statuses: number[] = [];
    /** Like a load balancer: keeps its connection until a reply says that it ends. */
    const client = async (): Promise<void> => {
      for (let ends = false; !ends; ) {
        const reply = await fetch(`${url}/recommend?k=5`);
        await reply.json();
        statuses.push(reply.status);
        ends = reply.headers.get("connection") === "close";
      }
    };
    const clients = [client(), client(), client(), client()];
    await eventually(() => statuses.length > 50, "load");
    child.kill("SIGTERM");
    await Promise.all(clients);
    assert.equal(await ended(child), 0);
    assert.deepEqual([...new Set(statuses)], [200]);
  });

  it("serves what it last served when it starts without Redis", async () => {
    await rig.redis.kill();
    const { url } = await start();
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, "ready without Redis");
    const body = await getJson(`${url}/recommend?userId=anna&k=2`);
    assert.equal(body.history, "unavailable", JSON.stringify(body));
    assert.equal((await getJson(`${url}/readyz`)).redis, "down");
  });
});
