import assert from "node:assert/strict";
import { request as rawRequest } from "node:http";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type supertest from "supertest";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

type Method = "get" | "post" | "put" | "delete" | "patch" | "options";

describe("the API under unfriendly input", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let popular: string;

  before(async () => {
    rig = await startRig();
    http = rig.http();
    popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  /** Sends a path exactly as written: ordinary clients tidy `..` away. */
  const statusOf = (path: string, headers: Record<string, string> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(rig.server.url);
      rawRequest({ hostname, port, path, headers }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      })
        .on("error", reject)
        .end();
    });

  it("answers without a key on the listed routes only", async () => {
    const open = [
      "GET /",
      "GET /decisions",
      "GET /decisions/x",
      "GET /healthz",
      "GET /items/x/similar",
      "GET /ladder",
      "GET /live",
      "GET /metrics",
      "GET /models",
      "GET /models/x",
      "GET /openapi.json",
      "GET /readyz",
      "GET /recommend",
      "GET /status",
      "POST /feedback",
      "POST /recommend",
    ];
    const { body } = await http.get("/openapi.json");
    const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "x")}`),
    );
    assert.ok(described.length >= 18, "every route is described, so that none escapes this test");
    for (const route of new Set([...described, ...open])) {
      const [method, path] = route.split(" ");
      const call = http[method.toLowerCase() as Method](path);
      const { status } = method === "POST" ? await call.send({}) : await call;
      assert.equal(status !== 401, open.includes(route), `${route} answered ${status}`);
    }
  });

  it("refuses wrong keys of every shape", async () => {
    const keys = ["", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", BEARER.authorization.slice(0, -1)];
    for (const authorization of [...keys, `${BEARER.authorization}x`, BEARER.authorization.toLowerCase()]) {
      const { status, body } = await http.get("/audit").set({ authorization });
      assert.equal(status, 401, authorization);
      assert.equal(body.error.code, "UNAUTHORIZED");
      assert.ok(!JSON.stringify(body).includes("wrong"), "what was sent is not repeated");
    }
    await http.get("/audit").set(BEARER).expect(200);
  });

  it("counts wrong keys apart: they are told to wait, the right one is answered", async () => {
    const limits = { failedKeysPerMinute: 5, operatorRequestsPerMinute: 3 };
    const strict = await startRig({ limits });
    try {
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 7; attempt++) {
        statuses.push((await strict.http().get("/audit").set({ authorization: "Bearer guess" })).status);
      }
      assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429]);
      for (let call = 0; call < 3; call++) await strict.http().get("/audit").set(BEARER).expect(200);
      const limited = await strict.http().get("/audit").set(BEARER);
      assert.equal(limited.status, 429);
      assert.equal(limited.body.error.code, "RATE_LIMITED");
      assert.ok(Number(limited.headers["retry-after"]) > 0);
      await strict.http().get("/healthz").expect(200);
    } finally {
      await strict.stop();
    }
  });

  it("refuses version ids and paths that lead elsewhere", async () => {
    const ids = ["..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00b", "A", "x".repeat(65), "a%0d%0aSet-Cookie:x"];
    for (const id of ids) {
      const status = await statusOf(`/models/${id}`);
      assert.ok(status >= 400 && status < 500, `${id} answered ${status}`);
    }
    for (const path of ["/../../etc/passwd", "/docs/static/..%2f..%2fpackage.json", "/%zz", "/models/%"]) {
      const status = await statusOf(path);
      assert.ok(status >= 400 && status < 500, `${path} answered ${status}`);
    }
  });

  it("names the field, what was expected and what it got", async () => {
    const cases: { method: "get" | "post"; path: string; body?: object; field: string; message: RegExp }[] = [
      { method: "get", path: "/recommend?k=0", field: "k", message: /1 to 100, got 0/ },
      { method: "get", path: "/recommend?k=101", field: "k", message: /1 to 100, got 101/ },
      { method: "get", path: "/recommend?k=ten", field: "k", message: /got "ten"/ },
      { method: "get", path: "/recommend?k=true", field: "k", message: /got "true"/ },
      { method: "get", path: "/recommend?k=1&k=2", field: "k", message: /got \["1","2"\]/ },
      { method: "get", path: "/recommend?limit=3", field: "limit", message: /no such field/ },
      { method: "get", path: "/recommend?userId=", field: "userId", message: /got ""/ },
      { method: "post", path: "/recommend", body: { k: "5" }, field: "k", message: /got "5"/ },
      { method: "post", path: "/recommend", body: { k: null }, field: "k", message: /got null/ },
      {
        method: "post",
        path: "/recommend",
        body: { history: ["f1", 7] },
        field: "history.1",
        message: /an item id, or \{itemId/,
      },
      {
        method: "post",
        path: "/feedback",
        body: {},
        field: "events",
        message: /1 to 500 events, got nothing/,
      },
      {
        method: "post",
        path: "/feedback",
        body: { events: [{ eventId: "e", userId: "u", itemId: "f1", type: "watch", rating: "5" }] },
        field: "events.0.rating",
        message: /a rating within the scale of the policy .*, got "5"/,
      },
      {
        method: "post",
        path: "/feedback",
        body: { events: [{ userId: "u", itemId: "f1", type: "watch" }] },
        field: "events.0.eventId",
        message: /idempotency key.*got nothing/,
      },
    ];
    for (const { method, path, body, field, message } of cases) {
      const response = method === "get" ? await http.get(path) : await http.post(path).send(body);
      assert.equal(response.status, 400, `${path} ${JSON.stringify(body)}`);
      assert.equal(response.body.error.field, field, JSON.stringify(response.body));
      assert.match(response.body.error.message, message);
    }
  });

  it("refuses what is not JSON, too large, or out to poison a prototype", async () => {
    const post = (path: string, type: string, text: string) =>
      http.post(path).set("content-type", type).send(text);
    await post("/recommend", "application/json", "{").expect(400);
    await post("/recommend", "text/xml", "<k>1</k>").expect(415);
    await post("/recommend", "application/json", '{"__proto__":{"k":5}}').expect(400);
    await post("/recommend", "application/json", '{"constructor":{"prototype":{"k":5}}}').expect(400);
    const large = JSON.stringify({ exclude: ["x".repeat(70 * 1024)] });
    const refused = await post("/recommend", "application/json", large).expect(413);
    assert.equal(refused.body.error.code, "PAYLOAD_TOO_LARGE");
    const event = { userId: "u", itemId: "f1", type: "watch" };
    const many = Array.from({ length: 501 }, (_, index) => ({ eventId: `many-${index}`, ...event }));
    await http.post("/feedback").set(BEARER).send({ events: many }).expect(400);
    await http
      .post("/feedback")
      .set(BEARER)
      .send({ events: many.slice(1) })
      .expect(202);
  });

  it("treats names of JavaScript's own as plain ids", async () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const event = { eventId: `own-${name}`, userId: name, itemId: name, type: "watch" };
      await http
        .post("/feedback")
        .set(BEARER)
        .send({ events: [event] })
        .expect(202);
      await eventually(async () => {
        const { body } = await http
          .get("/recommend")
          .set(BEARER)
          .query({ userId: name, exclude: name })
          .expect(200);
        return body.history === "stored";
      });
      await http.get(`/items/${name}/similar`).expect(404);
      await http.get("/recommend").query({ genre: name }).expect(400);
    }
  });

  it("gives every error the same shape, with an id to find it by", async () => {
    for (const path of ["/nowhere", "/recommend?k=0", "/models/als-000000000000", "/audit", "/%zz"]) {
      const { body, status } = await http.get(path);
      assert.ok(status >= 400 && status < 500, path);
      assert.deepEqual(Object.keys(body), ["error"]);
      assert.match(body.error.requestId, /^[0-9a-f-]{36}$/);
      assert.match(body.error.code, /^[A-Z_]+$/);
      assert.ok(body.error.message.length > 0);
    }
  });

  it("answers no recommendation body with a server error", async () => {
    const id = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom("f1", "f2", "anna"));
    const sensible = fc.record(
      {
        userId: id,
        history: fc.array(fc.oneof(id, fc.record({ itemId: id, rating: fc.double() })), { maxLength: 5 }),
        k: fc.integer({ min: -1, max: 120 }),
        exclude: fc.array(id, { maxLength: 5 }),
        filter: fc.record({ genre: fc.constantFrom("Drama", "Opera") }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    );
    let accepted = 0;
    const property = fc.asyncProperty(
      fc.oneof({ weight: 3, arbitrary: sensible }, fc.jsonValue()),
      async (body) => {
        const response = await http
          .post("/recommend")
          .set("content-type", "application/json")
          .send(JSON.stringify(body));
        if (response.status === 200) accepted++;
        assert.ok(response.status < 500, `${response.status} ${response.text}`);
      },
    );
    await fc.assert(property, { numRuns: 400, seed: 7 });
    assert.ok(accepted >= 40, `only ${accepted} of 400 were valid: the fuzz is too wild to mean much`);
  });

  it("answers no feedback, query or operator's body with a server error", async () => {
    const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 10 });
    const event = fc.record(
      {
        eventId: fc.uuid(),
        userId: word,
        itemId: word,
        type: fc.constantFrom("watch", "rating", "Click!"),
        rating: fc.oneof(fc.float({ noNaN: true }), fc.constant(null)),
        timestamp: fc.oneof(fc.maxSafeNat(), fc.integer()),
        requestId: word,
      },
      { requiredKeys: ["eventId", "userId", "itemId"] },
    );
    const feedback = fc.record({ events: fc.array(event, { maxLength: 3 }) });
    const promote = fc.record({
      expectedLive: fc.oneof(word, fc.constant(null)),
      reason: word,
      force: fc.jsonValue(),
    });
    const canary = fc.record({
      expectedLive: fc.oneof(word, fc.constant(popular)),
      share: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.jsonValue()),
      reason: word,
      force: fc.boolean(),
    });
    const retrain = fc.record({
      phase: fc.integer({ min: 0, max: 5 }),
      params: fc.jsonValue(),
      seed: fc.integer(),
    });
    const call = fc.oneof(
      fc.record({ path: fc.constant("/feedback"), body: feedback }),
      fc.record({ path: fc.constant(`/models/${popular}/promote`), body: promote }),
      fc.record({ path: fc.constant(`/models/${popular}/canary`), body: canary }),
      fc.record({ path: fc.constant("/rollback"), body: fc.record({ reason: word, expectedLive: word }) }),
      fc.record({ path: fc.constant("/retrain"), body: retrain }),
      fc.record({ path: fc.constantFrom("/feedback", "/rollback", "/retrain"), body: fc.jsonValue() }),
    );
    const bodies = fc.asyncProperty(call, async ({ path, body }) => {
      const response = await http
        .post(path)
        .set(BEARER)
        .set("content-type", "application/json")
        .send(JSON.stringify(body));
      assert.ok(response.status < 500, `${path} ${response.status} ${response.text}`);
    });
    await fc.assert(bodies, { numRuns: 300, seed: 11 });
    const paths = fc.constantFrom("/recommend", "/decisions", "/audit", "/live", "/items/f1/similar");
    const queries = fc.asyncProperty(
      paths,
      fc.dictionary(word, word, { maxKeys: 4 }),
      async (path, query) => {
        const response = await http.get(path).set(BEARER).query(query);
        assert.ok(response.status < 500, `${path} ${response.status} ${response.text}`);
      },
    );
    await fc.assert(queries, { numRuns: 200, seed: 13 });
  });
});
