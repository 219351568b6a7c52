import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { clientOf } from "../../services/serving/client-address.ts";
import { RateLimiter } from "../../services/serving/rate-limiter.ts";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";

describe("F22: rate limits", () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({ limits: { failedKeysPerMinute: 60 } });
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  it("answer the right key at once after 600 wrong ones from the same address", async () => {
    const statuses = { 401: 0, 429: 0 };
    for (let attempt = 0; attempt < 600; attempt++) {
      const authorization = `Bearer guess-${attempt}`;
      const { status } = await fetch(`${rig.server.url}/audit`, { headers: { authorization } });
      statuses[status as 401 | 429]++;
    }
    assert.equal(statuses[401] + statuses[429], 600);
    assert.ok(statuses[401] >= 60 && statuses[429] > 300, JSON.stringify(statuses));
    const rollback = () => rig.http().post("/rollback").set(BEARER).send({ reason: "now" });
    assert.notEqual((await rollback()).status, 429);
    await rig.http().get("/audit").set(BEARER).expect(200);
  });

  it("hold each key to its own rate, whatever others ask", async () => {
    const make = async (name: string, requestsPerMinute: number) =>
      (
        await rig
          .http()
          .post("/keys")
          .set(BEARER)
          .send({ name, scopes: ["serve"], requestsPerMinute })
      ).body.key as string;
    const [slow, fast] = [await make("slow", 3), await make("fast", 1000)];
    const ask = (key: string) =>
      rig
        .http()
        .get("/recommend")
        .set({ authorization: `Bearer ${key}` });
    for (let call = 0; call < 3; call++) await ask(slow).expect(200);
    const refused = await ask(slow).expect(429);
    assert.equal(refused.body.error.code, "RATE_LIMITED");
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    await ask(fast).expect(200);
  });
});

describe("the limits of one user", () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({ limits: { userRequestsPerMinute: 5 } });
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  it("hold for lists and feedback together, and for nobody else", async () => {
    const list = (userId: string) => rig.http().get(`/recommend?userId=${userId}`).set(BEARER);
    const feedback = (eventId: string, ...users: string[]) =>
      rig
        .http()
        .post("/feedback")
        .set(BEARER)
        .send({
          events: users.map((userId) => ({
            eventId: `${eventId}-${userId}`,
            userId,
            itemId: "f1",
            type: "watch",
          })),
        });
    for (const eventId of ["a", "b", "c"]) await feedback(eventId, "anna", "anna").expect(202);
    for (let call = 0; call < 2; call++) await list("anna").expect(200);
    const refused = await list("anna").expect(429);
    assert.match(refused.body.error.message, /this user's requests/);
    await feedback("d", "anna").expect(429);
    await list("bela").expect(200);
    await feedback("e", "bela").expect(202);
  });

  it("refuse a batch as a whole, which may then be sent again", async () => {
    const events = ["anna", "cleo"].map((userId) => ({
      eventId: `whole-${userId}`,
      userId,
      itemId: "f2",
      type: "watch",
    }));
    await rig.http().post("/feedback").set(BEARER).send({ events }).expect(429);
    const again = await rig
      .http()
      .post("/feedback")
      .set(BEARER)
      .send({ events: events.slice(1) });
    assert.deepEqual(again.body, { accepted: 1, duplicates: 0 });
  });
});

describe("a rate limiter", () => {
  it("lets a name ask again as its bucket refills, and never more than at first", () => {
    const limiter = new RateLimiter();
    assert.equal(limiter.take("a", 2, 0), 0);
    assert.equal(limiter.take("a", 2, 0), 0);
    assert.equal(limiter.take("a", 2, 0), 30);
    assert.equal(limiter.take("b", 2, 0), 0);
    assert.equal(limiter.take("a", 2, 30_000), 0);
    assert.equal(limiter.take("a", 2, 30_000), 30);
    for (const free of [0, 0, 30]) assert.equal(limiter.take("a", 2, 1e9), free);
  });

  it("is not confused by a clock that goes back", () => {
    const limiter = new RateLimiter();
    assert.equal(limiter.take("a", 1, 1000), 0);
    assert.equal(limiter.take("a", 1, 0), 60);
  });

  it("forgets the oldest names before it grows beyond its bound", () => {
    const limiter = new RateLimiter(2);
    for (const name of ["a", "b", "c"]) assert.equal(limiter.take(name, 1, 0), 0);
    assert.equal(limiter.take("c", 1, 0), 60);
    assert.equal(limiter.take("a", 1, 0), 0);
  });
});

describe("a client", () => {
  it("is an IPv4 address, or the /64 of an IPv6 one", () => {
    const cases = {
      "192.0.2.7": "192.0.2.7",
      "::ffff:192.0.2.7": "192.0.2.7",
      "2001:db8:1:2:3:4:5:6": "2001:db8:1:2",
      "2001:db8:1:2::9": "2001:db8:1:2",
      "2001:0db8::1": "2001:db8:0:0",
      "::1": "0:0:0:0",
      "fe80::1%eth0": "fe80:0:0:0",
    };
    for (const [address, client] of Object.entries(cases)) assert.equal(clientOf(address), client);
  });
});
