import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type supertest from "supertest";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";

describe("a publishable key", () => {
  const SHOP = "https://shop.example";
  let rig: Rig;
  let http: supertest.Agent;
  let key: { authorization: string };

  before(async () => {
    rig = await startRig({ limits: { browserRequestsPerMinute: 20 } });
    http = rig.http();
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    const order = { name: "pages", kind: "publishable", origins: [SHOP] };
    const made = await http.post("/keys").set(BEARER).send(order).expect(201);
    key = { authorization: `Bearer ${made.body.key}` };
  });
  after(() => rig.stop());

  it("gets answers on its own pages, which the browser may read", async () => {
    const preflight = await http.options("/recommend").set("origin", SHOP).expect(204);
    assert.equal(preflight.headers["access-control-allow-origin"], SHOP);
    assert.match(preflight.headers["access-control-allow-headers"], /authorization/);
    const reply = await http.get("/recommend?k=2").set(key).set("origin", SHOP).expect(200);
    assert.equal(reply.headers["access-control-allow-origin"], SHOP);
  });

  it("works on no other page, and nowhere outside a page", async () => {
    for (const origin of ["https://shop.example.evil", "http://shop.example", "null"]) {
      const preflight = await http.options("/recommend").set("origin", origin).expect(204);
      assert.equal(preflight.headers["access-control-allow-origin"], undefined);
      await http.get("/recommend").set(key).set("origin", origin).expect(403);
    }
    await http.get("/recommend").set(key).expect(403);
  });

  it("only gets answers: no feedback, no ladder, no operator's route", async () => {
    const page = { ...key, origin: SHOP };
    const event = { eventId: "e", userId: "anna", itemId: "f1", type: "watch" };
    await http
      .post("/feedback")
      .set(page)
      .send({ events: [event] })
      .expect(403);
    for (const path of ["/ladder", "/audit", "/keys"]) await http.get(path).set(page).expect(403);
  });

  it("reads no stored history, and has a rate of its own", async () => {
    const event = { eventId: "real", userId: "anna", itemId: "f1", type: "watch" };
    await http
      .post("/feedback")
      .set(BEARER)
      .send({ events: [event] })
      .expect(202);
    const page = { ...key, origin: SHOP };
    const { body } = await http.get("/recommend?userId=anna&k=100").set(page).expect(200);
    assert.equal(body.history, "empty");
    assert.ok(body.items.some(({ itemId }: { itemId: string }) => itemId === "f1"));
    let refused = 0;
    for (let call = 0; call < 30; call++) {
      if ((await http.get("/recommend").set(page)).status === 429) refused++;
    }
    assert.ok(refused >= 10, `${refused} refused`);
    await http.get("/recommend").set(BEARER).expect(200);
  });
});
