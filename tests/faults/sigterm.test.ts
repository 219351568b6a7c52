import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { Agent, request } from "node:http";
import { after, before, describe, it } from "node:test";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";
import { halfABody, rawClient } from "../support/raw-client.ts";
import { ended, type ServingProcess, spawnServer } from "../support/serving-process.ts";

/** What became of one request: its status, or the code with which its connection failed. */
type Fate = number | string;

function ask(url: string, agent: Agent): Promise<Fate> {
  return new Promise((resolve) => {
    request(url, { agent }, (reply) => {
      reply.resume().once("end", () => resolve(reply.statusCode ?? 0));
      reply.once("error", (error) => resolve(error.message));
    })
      .once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });
}

describe("F17: SIGTERM under load", () => {
  let rig: Rig;
  const started: ChildProcess[] = [];

  before(async () => {
    rig = await startRig();
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(async () => {
    for (const child of started) child.kill("SIGKILL");
    await rig.stop();
  });

  const start = async (): Promise<ServingProcess> => {
    const served = await spawnServer({
      REDIS_URL: rig.redis.url,
      PHASEWISE_HOME: rig.folder,
      PHASEWISE_ADMIN_KEY: ADMIN_KEY,
    });
    started.push(served.process);
    await eventually(async () => (await fetch(`${served.url}/readyz`)).status === 200, "ready");
    return served;
  };

  it("cuts off no request: clients that go on asking are answered until nobody listens any more", async () => {
    const { process: child, url } = await start();
    const fates: Fate[] = [];
    /** Asks until it is refused a connection, on one that it keeps as long as the service lets it. */
    const client = async (): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let fate: Fate = 200; fate !== "ECONNREFUSED"; ) {
        fate = await ask(`${url}/recommend?k=5`, agent);
        fates.push(fate);
      }
      agent.destroy();
    };
    const clients = Array.from({ length: 16 }, client);
    await eventually(() => fates.length > 200, "load");
    child.kill("SIGTERM");
    await Promise.all(clients);
    assert.equal(await ended(child), 0, "it ended by itself, in time");
    // A busy machine may shed load; an answer it is all the same.
    const lost = fates.filter((fate) => fate !== 200 && fate !== 503 && fate !== "ECONNREFUSED");
    assert.deepEqual(lost, [], JSON.stringify(counted(fates)));
  });

  it("does not wait for those who idle, send half a body or read nothing", async () => {
    const { process: child, url } = await start();
    const large = "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    const clients = ["", halfABody("/recommend"), large].flatMap((text) =>
      Array.from({ length: 20 }, () => rawClient(url, text)),
    );
    for (const { socket } of clients) socket.pause();
    await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once("connect", resolve))));
    await fetch(`${url}/recommend`);
    child.kill("SIGTERM");
    assert.equal(await ended(child), 0, "it ended by itself, in time");
    for (const { socket } of clients) socket.destroy();
  });
});

function counted(fates: readonly Fate[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fate of fates) counts[fate] = (counts[fate] ?? 0) + 1;
  return counts;
}
