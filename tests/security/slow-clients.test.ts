import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";
import { answerIn, ask, halfABody, type RawClient, rawClient } from "../support/raw-client.ts";
import { ended, spawnServer } from "../support/serving-process.ts";

const ATTACKERS = 500;

describe("F14 and F21: clients that hold what they opened", () => {
  let rig: Rig;
  let api: ChildProcess;
  let url: string;

  before(async () => {
    rig = await startRig();
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    const served = await spawnServer({
      REDIS_URL: rig.redis.url,
      PHASEWISE_HOME: rig.folder,
      PHASEWISE_ADMIN_KEY: ADMIN_KEY,
    });
    api = served.process;
    url = served.url;
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, "ready");
  });
  after(async () => {
    api.kill("SIGKILL");
    await ended(api);
    await rig.stop();
  });

  /** Other people's requests, and the operator's, while the attack goes on. */
  const othersAreAnswered = async (): Promise<void> => {
    let refused = 0;
    for (let n = 0; n < 200; n++) {
      const [list, audit] = await Promise.all([
        ask(`${url}/recommend?userId=u${n}&k=3`),
        ask(`${url}/audit`, { headers: BEARER }),
      ]);
      assert.equal(audit.status, 200, audit.body);
      if (list.status !== 200) refused++;
    }
    assert.ok(refused <= 2, `${refused} of 200 refused, expected 1 % at most`);
    for (const path of ["/healthz", "/readyz", "/metrics"]) {
      assert.equal((await ask(`${url}${path}`, { headers: BEARER })).status, 200, path);
    }
  };

  it("half a body, opened again whenever it is closed: everybody else is answered", async () => {
    let attack = true;
    const closed: string[] = [];
    const hold = async (): Promise<void> => {
      while (attack) closed.push(await rawClient(url, halfABody("/recommend")).heard);
    };
    const attackers = Array.from({ length: ATTACKERS }, hold);
    await othersAreAnswered();
    attack = false;
    await Promise.all(attackers);
    assert.ok(closed.length >= ATTACKERS, "the service closed every one of them");
  });

  it("half a header, or nothing at all: everybody else is answered, and they are closed", async () => {
    const clients = Array.from({ length: ATTACKERS }, (_, n) =>
      rawClient(url, n % 2 === 0 ? "" : "GET /recommend HTTP/1.1\r\nhost: x\r\nx-slow: "),
    );
    await othersAreAnswered();
    await Promise.all(clients.map(({ heard }) => heard));
  });

  it("large replies that nobody reads: everybody else is answered, and they are closed", async () => {
    const pipelined = "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    const clients: RawClient[] = Array.from({ length: 100 }, () => rawClient(url, pipelined));
    for (const { socket } of clients) socket.pause();
    await othersAreAnswered();
    const closed = async (): Promise<boolean> => {
      const figure = /^phasewise_unread_replies_cut_total (\d+)$/m;
      const { body } = await ask(`${url}/metrics`, { headers: BEARER });
      return Number(figure.exec(body)?.[1] ?? 0) >= 1;
    };
    // Most were refused a slot of the description's, which fits into their own machine's memory.
    await eventually(closed, "unread replies are cut off", 60_000);
    for (const { socket } of clients) socket.destroy();
  });
});

describe("F21: clients that read nothing of a service that is busy", () => {
  /** No more at once than there are slots left however late everything is. */
  const BUSY = 10;
  const REQUESTS = 50;

  it("cost none of the others his answer, nor the operator", async () => {
    const rig = await startRig();
    try {
      const popular = await rig.register("popularity");
      const first = { expectedLive: null, reason: "first" };
      await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
      const { url } = rig.server;
      const large = "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10);
      const unread = Array.from({ length: 60 }, () => rawClient(url, large, "127.0.0.66"));
      for (const { socket } of unread) socket.pause();
      const statuses: number[] = [];
      const client = async (_: unknown, n: number): Promise<void> => {
        for (let asked = 0; asked < REQUESTS; asked++) {
          statuses.push((await ask(`${url}/recommend?userId=u${n}&k=3`, { headers: BEARER })).status);
          if (asked % 10 === 0) statuses.push((await ask(`${url}/audit`, { headers: BEARER })).status);
        }
      };
      await Promise.all(Array.from({ length: BUSY }, client));
      assert.deepEqual([...new Set(statuses)], [200]);
      for (const { socket } of unread) socket.destroy();
    } finally {
      await rig.stop();
    }
  });
});

describe("a client that sends far more requests than it reads replies", () => {
  it("is cut off after a few, and nobody else is concerned", async () => {
    const rig = await startRig();
    try {
      const greedy = rawClient(rig.server.url, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(5000));
      greedy.socket.pause();
      await eventually(async () => {
        const { text } = await rig.http().get("/metrics").set(BEARER);
        return /^phasewise_refused_total\{cause="pipelined"\} 1$/m.test(text);
      }, "one connection is cut");
      greedy.socket.destroy();
    } finally {
      await rig.stop();
    }
  });
});

describe("what one client may hold", () => {
  let rig: Rig;
  const stop: RawClient[] = [];

  before(async () => {
    rig = await startRig({
      limits: { connectionsPerClient: 20, openRequestsPerClient: 10 },
      settings: { trustedProxies: "127.0.0.9,10.0.0.0/8" },
    });
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(async () => {
    for (const { socket } of stop) socket.destroy();
    await rig.stop();
  });

  const open = (from: string, text: string): RawClient => {
    const client = rawClient(rig.server.url, text, from);
    stop.push(client);
    return client;
  };
  const recommend = (from: string, headers = {}) =>
    ask(`${rig.server.url}/recommend?k=2`, { from, headers: { ...BEARER, ...headers } });

  it("is so many connections: the next is told so, and other addresses are not concerned", async () => {
    const held = Array.from({ length: 20 }, () => open("127.0.0.5", ""));
    await Promise.all(held.map(({ socket }) => new Promise((resolve) => socket.once("connect", resolve))));
    const { status, headers, body } = answerIn(await open("127.0.0.5", "").heard);
    assert.equal(status, 429);
    assert.match(headers, /retry-after: 1/);
    const { error } = JSON.parse(body);
    assert.equal(error.code, "RATE_LIMITED");
    assert.match(error.message, /at most 20 connections of one client/);
    assert.match(error.requestId, /^[0-9a-f-]{36}$/);
    assert.equal((await recommend("127.0.0.6")).status, 200);
    for (const { socket } of held) socket.destroy();
    await eventually(async () => (await recommend("127.0.0.5")).status === 200, "its connections are free");
  });

  it("is so many open requests, counted by the address that a trusted proxy names", async () => {
    const forwarded = (client: string) => ({ "x-forwarded-for": client });
    for (let n = 0; n < 10; n++) {
      const text = halfABody("/recommend").replace(
        "host: x",
        `host: x\r\nauthorization: ${BEARER.authorization}\r\nx-forwarded-for: 203.0.113.7`,
      );
      open("127.0.0.9", text);
    }
    const limited = async (): Promise<boolean> =>
      (await recommend("127.0.0.9", forwarded("203.0.113.7"))).status === 429;
    await eventually(limited, "the client behind the proxy is at its limit");
    assert.equal((await recommend("127.0.0.9", forwarded("203.0.113.8"))).status, 200);
    const unbelieved = await recommend("127.0.0.8", forwarded("203.0.113.7"));
    assert.equal(unbelieved.status, 200, "a header of somebody who is no proxy counts for nothing");
    const audit = await ask(`${rig.server.url}/audit`, {
      from: "127.0.0.9",
      headers: { ...BEARER, ...forwarded("203.0.113.7") },
    });
    assert.equal(audit.status, 200, "operators are always heard");
  });
});

describe("slots", () => {
  it("of operators, of the description, and health and metrics, do not depend on those of everybody", async () => {
    const rig = await startRig({ limits: { maxInFlight: 0 } });
    try {
      const { status, body, headers } = await rig.http().get("/recommend");
      assert.equal(status, 503);
      assert.equal(body.error.code, "OVERLOADED");
      assert.equal(headers["retry-after"], "1");
      await rig.http().get("/openapi.json").expect(200);
      await rig.http().get("/audit").set(BEARER).expect(200);
      for (const path of ["/healthz", "/metrics"]) await rig.http().get(path).set(BEARER).expect(200);
    } finally {
      await rig.stop();
    }
  });
});

describe("metrics on a port of their own", () => {
  it("are served there, and nowhere else", async () => {
    const rig = await startRig();
    const {
      process: api,
      url,
      ready,
    } = await spawnServer({
      REDIS_URL: rig.redis.url,
      PHASEWISE_HOME: rig.folder,
      PHASEWISE_ADMIN_KEY: ADMIN_KEY,
      PHASEWISE_METRICS_PORT: "0",
    });
    try {
      assert.equal((await ask(`${url}/metrics`, { headers: BEARER })).status, 404);
      const apart = `http://127.0.0.1:${ready.metricsPort}`;
      const page = await ask(`${apart}/metrics`);
      assert.equal(page.status, 200);
      assert.match(page.body, /^phasewise_live_epoch /m);
      assert.equal((await ask(`${apart}/audit`, { headers: BEARER })).status, 404);
    } finally {
      api.kill("SIGTERM");
      assert.equal(await ended(api), 0);
      await rig.stop();
    }
  });
});
