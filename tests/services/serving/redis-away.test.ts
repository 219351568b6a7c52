import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type supertest from "supertest";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

describe("the API while Redis is away", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let popular: string;
  let serial = 0;

  const watched = (userId: string, itemId: string) => ({
    events: [{ eventId: `event-${serial++}`, userId, itemId, type: "watch" }],
  });
  const originOf = async (userId: string): Promise<string> =>
    (await http.get("/recommend").set(BEARER).query({ userId })).body.history;

  before(async () => {
    rig = await startRig();
    http = rig.http();
    popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    await http.post("/feedback").set(BEARER).send(watched("anna", "f1")).expect(202);
    await eventually(async () => (await originOf("anna")) === "stored");
  });
  after(() => rig.stop());

  const assertServesWithout = async (): Promise<void> => {
    for (let request = 0; request < 20; request++) {
      const { body } = await http.get("/recommend?userId=anna&k=2").set(BEARER).expect(200);
      assert.equal(body.history, "remembered");
      assert.deepEqual(
        body.items.map(({ itemId }: { itemId: string }) => itemId),
        ["f2", "f3"],
      );
    }
    const stranger = await http.get("/recommend?userId=stranger").set(BEARER).expect(200);
    assert.equal(stranger.body.history, "unavailable");
    assert.equal(stranger.body.source, "popular");
    await eventually(
      async () => (await http.get("/readyz").expect(200)).body.redis === "down",
      "/readyz says that Redis is down",
    );
    await http.get("/items/f1/similar").expect(200);
    await http.get("/metrics").expect(200);
  };
  const assertSaysUnavailable = async (): Promise<void> => {
    const calls = [
      http.post("/feedback").set(BEARER).send(watched("anna", "f5")),
      http.get("/ladder"),
      http.get("/models"),
      http.get("/audit").set(BEARER),
      http.post("/rollback").set(BEARER).send({ reason: "tests" }),
      http.post("/retrain").set(BEARER).send({ phase: 1 }),
    ];
    for (const call of calls) {
      const { status, body, headers } = await call;
      assert.equal(status, 503);
      assert.equal(body.error.code, "STORE_UNAVAILABLE");
      assert.ok(Number(headers["retry-after"]) > 0);
    }
  };

  it("serves from memory and says so while Redis is stuck, then recovers", async () => {
    rig.redis.pause();
    try {
      await eventually(async () => (await originOf("anna")) === "remembered");
      await assertServesWithout();
      await assertSaysUnavailable();
    } finally {
      rig.redis.resume();
    }
    await eventually(async () => (await originOf("anna")) === "stored", "histories are read again");
    await http.post("/feedback").set(BEARER).send(watched("bela", "f2")).expect(202);
  });

  it("serves from memory and says so while Redis is dead, then recovers", async () => {
    await rig.redis.kill();
    await eventually(async () => (await originOf("anna")) === "remembered");
    await assertServesWithout();
    await assertSaysUnavailable();
    await rig.redis.restart();
    await eventually(async () => (await originOf("anna")) === "stored", "histories are read again");
    await eventually(
      async () => (await http.post("/feedback").set(BEARER).send(watched("bela", "f3"))).status === 202,
      "feedback is taken again",
    );
    await eventually(async () => (await http.get("/readyz")).body.redis === "up", "Redis is up");
  });

  it("hears of a promotion made elsewhere after Redis was away", async () => {
    const lately = await rig.register("popular-lately", { halfLifeDays: 30 });
    const live = { version: lately, expectedLive: popular, reason: "elsewhere", actor: "tests", force: true };
    await rig.registry.promote(live);
    await eventually(async () => (await http.get("/recommend")).body.model.version === lately, "swapped");
  });
});
