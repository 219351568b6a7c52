import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { ended, type ServingProcess, spawnServer } from "../../support/serving-process.ts";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "./rig.ts";

describe("the server as a process", () => {
  let rig: Rig;
  const started: ChildProcess[] = [];

  const start = async (): Promise<ServingProcess> => {
    const served = await spawnServer({
      REDIS_URL: rig.redis.url,
      PHASEWISE_HOME: rig.folder,
      PHASEWISE_ADMIN_KEY: ADMIN_KEY,
    });
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
