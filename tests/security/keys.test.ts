import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type supertest from "supertest";
import { startServer } from "../../services/serving/server.ts";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";

interface Made {
  readonly id: string;
  readonly key: string;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("keys", () => {
  let rig: Rig;
  let http: supertest.Agent;

  before(async () => {
    rig = await startRig();
    http = rig.http();
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  const make = async (order: object): Promise<Made> => {
    const made = await http.post("/keys").set(BEARER).send(order).expect(201);
    return made.body as Made;
  };
  const event = { eventId: "e", userId: "anna", itemId: "f1", type: "watch" };
  /** One route for each scope, and one for any secret key. */
  const asks = {
    serve: (key: string) => http.get("/recommend").set(bearer(key)),
    ingest: (key: string) =>
      http
        .post("/feedback")
        .set(bearer(key))
        .send({ events: [event] }),
    operate: (key: string) => http.get("/audit").set(bearer(key)),
    admin: (key: string) => http.get("/keys").set(bearer(key)),
    view: (key: string) => http.get("/ladder").set(bearer(key)),
  };

  it("may do what their scopes say, and nothing else", async () => {
    for (const scope of ["serve", "ingest", "operate", "admin"] as const) {
      const { key } = await make({ name: `only ${scope}`, scopes: [scope] });
      for (const [asked, ask] of Object.entries(asks)) {
        const { status, body } = await ask(key);
        const allowed = asked === scope || asked === "view" || scope === "admin";
        assert.equal(status < 400, allowed, `${scope} asked ${asked}: ${status} ${JSON.stringify(body)}`);
        if (!allowed) assert.equal(body.error.code, "FORBIDDEN");
      }
    }
  });

  it("are stored as hashes, and shown once", async () => {
    const { id, key } = await make({ name: "back end", scopes: ["serve"] });
    const raw = new Redis(rig.redis.url);
    try {
      for (const name of await raw.keys("*")) {
        const type = await raw.type(name);
        const stored = type === "hash" ? JSON.stringify(await raw.hgetall(name)) : "";
        assert.ok(!stored.includes(key.slice(-20)), name);
      }
    } finally {
      raw.disconnect();
    }
    const { body } = await http.get("/keys").set(BEARER).expect(200);
    const listed = body.keys.find((view: Made) => view.id === id);
    assert.equal(listed.name, "back end");
    assert.equal(listed.createdBy, "admin");
    assert.ok(!/sha256|secrets/.test(JSON.stringify(body)));
  });

  it("are revoked at once and for good", async () => {
    const { id, key } = await make({ name: "lost", scopes: ["serve"] });
    await asks.serve(key).expect(200);
    const { body } = await http.delete(`/keys/${id}`).set(BEARER).expect(200);
    assert.equal(body.revokedBy, "admin");
    await asks.serve(key).expect(401);
    await http.delete(`/keys/${id}`).set(BEARER).expect(200, body);
    await http.post(`/keys/${id}/rotate`).set(BEARER).send({}).expect(409);
    await http.delete("/keys/0123456789ab").set(BEARER).expect(404);
  });

  it("stand in the audit whenever one is made, rotated or revoked, by whom, and the chain holds", async () => {
    const { id } = await make({ name: "noted", scopes: ["serve", "ingest"] });
    const rotated = await http
      .post(`/keys/${id}/rotate`)
      .set(BEARER)
      .send({ overlapSeconds: 60 })
      .expect(200);
    for (let call = 0; call < 2; call++) await http.delete(`/keys/${id}`).set(BEARER).expect(200);
    const { body } = await http.get("/audit").set(BEARER).expect(200);
    assert.equal(body.firstBroken, null);
    const noted = (body.entries as { action: string; actor: string; reason: string }[]).filter(({ reason }) =>
      reason.includes(id),
    );
    assert.deepEqual(
      noted.map(({ action, actor }) => [action, actor]),
      ["key-create", "key-rotate", "key-revoke"].map((action) => [action, "admin"]),
    );
    assert.equal(noted[1].reason, `key ${id} "noted" (serve, ingest), the secret before works for 60 s`);
    assert.ok(!JSON.stringify(body).includes(rotated.body.key));
  });

  it("are rotated with an overlap, or without", async () => {
    const { id, key } = await make({ name: "rotated", scopes: ["serve"] });
    const second = (await http.post(`/keys/${id}/rotate`).set(BEARER).send({}).expect(200)).body as Made;
    assert.equal(second.id, id);
    await asks.serve(key).expect(200);
    await asks.serve(second.key).expect(200);
    const third = await http.post(`/keys/${id}/rotate`).set(BEARER).send({ overlapSeconds: 0 }).expect(200);
    await asks.serve(key).expect(401);
    await asks.serve(second.key).expect(401);
    await asks.serve(third.body.key).expect(200);
  });

  it("reach other replicas without a restart, with Redis asked for no request", async () => {
    const other = await startServer({
      config: {
        redisUrl: rig.redis.url,
        port: 0,
        host: "127.0.0.1",
        stateFolder: rig.folder,
        adminKey: ADMIN_KEY,
        logLevel: "silent",
      },
    });
    const statusThere = async (key: string): Promise<number> =>
      (await fetch(`${other.url}/live`, { headers: bearer(key) })).status;
    try {
      const { id, key } = await make({ name: "everywhere", scopes: ["operate"] });
      await eventually(async () => (await statusThere(key)) === 200, "the other replica knows the key");
      await http.delete(`/keys/${id}`).set(BEARER).expect(200);
      await eventually(async () => (await statusThere(key)) === 401, "the other replica refuses it");
    } finally {
      await other.close();
    }
  });

  it("go on working while Redis is away, and for a replica that starts meanwhile", async () => {
    const lonely = await startRig();
    try {
      const made = await lonely
        .http()
        .post("/keys")
        .set(BEARER)
        .send({ name: "a", scopes: ["serve"] });
      const popular = await lonely.register("popularity");
      const first = { expectedLive: null, reason: "first" };
      await lonely.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
      await lonely.redis.kill();
      await lonely.http().get("/recommend").set(bearer(made.body.key)).expect(200);
      await lonely
        .http()
        .get("/recommend")
        .set(bearer(`${made.body.key}x`))
        .expect(401);
      const late = await startServer({
        config: {
          redisUrl: lonely.redis.url,
          port: 0,
          host: "127.0.0.1",
          stateFolder: lonely.folder,
          adminKey: ADMIN_KEY,
          logLevel: "silent",
        },
      });
      const there = await fetch(`${late.url}/items/f1/similar`, { headers: bearer(made.body.key) });
      await late.close();
      assert.notEqual(there.status, 401);
    } finally {
      await lonely.stop();
    }
  });

  it("are refused with the reason when an order makes no sense", async () => {
    const orders = [
      { name: "no scope" },
      { name: "", scopes: ["serve"] },
      { name: "unknown", scopes: ["root"] },
      { name: "secret with origins", scopes: ["serve"], origins: ["https://shop.example"] },
      { name: "publishable without", kind: "publishable" },
      {
        name: "publishable that ingests",
        kind: "publishable",
        scopes: ["ingest"],
        origins: ["https://a.example"],
      },
      { name: "any page", kind: "publishable", origins: ["*"] },
    ];
    for (const order of orders) {
      const { status, body } = await http.post("/keys").set(BEARER).send(order);
      assert.equal(status, 400, order.name);
      assert.ok(body.error.field, JSON.stringify(body));
    }
  });
});

describe("a service without keys", () => {
  it("refuses to listen where others can connect, and says what to run", async () => {
    const rig = await startRig();
    const config = {
      redisUrl: rig.redis.url,
      port: 0,
      host: "0.0.0.0",
      stateFolder: `${rig.folder}/elsewhere`,
      adminKey: null,
      logLevel: "silent" as const,
    };
    try {
      await assert.rejects(startServer({ config }), /HOST 0\.0\.0\.0: expected a key .*phasewise keys init/);
      const withKey = await startServer({ config: { ...config, adminKey: ADMIN_KEY } });
      // Nobody is answered without a key there, even though this request comes from this machine.
      const status = async (path: string) => (await fetch(new URL(path, withKey.url))).status;
      assert.equal(await status("/recommend"), 401);
      assert.equal(await status("/ladder"), 401);
      assert.equal(await status("/healthz"), 200);
      await withKey.close();
    } finally {
      await rig.stop();
    }
  });

  it("answers this machine without a key until the first key is made", async () => {
    const rig = await startRig();
    try {
      await rig.http().get("/ladder").expect(200);
      await rig.http().get("/audit").expect(401);
      const made = await rig
        .http()
        .post("/keys")
        .set(BEARER)
        .send({ name: "first", scopes: ["serve"] });
      for (const path of ["/ladder", "/metrics"]) await rig.http().get(path).expect(401);
      await rig.http().get("/metrics").set(bearer(made.body.key)).expect(200);
      await rig.http().delete(`/keys/${made.body.id}`).set(BEARER).expect(200);
      await rig.http().get("/ladder").expect(200);
    } finally {
      await rig.stop();
    }
  });
});
