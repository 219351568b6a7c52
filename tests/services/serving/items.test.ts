import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type supertest from "supertest";
import { itemId } from "../../../models/data/ids.ts";
import { redisItemChanges } from "../../../services/items/item-changes.ts";
import { connectRedis } from "../../../services/redis.ts";
import { CatalogueIndex } from "../../../services/serving/catalogue-index.ts";
import { FollowedItems } from "../../../services/serving/followed-items.ts";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

describe("items", () => {
  let rig: Rig;
  let http: supertest.Agent;

  /** A busy machine may answer too late once: then it is sent again. */
  const put = async (item: object, status = 200) => {
    for (;;) {
      const reply = await http
        .put("/items")
        .set(BEARER)
        .send({ items: [item] });
      if (reply.status === 503) continue;
      assert.equal(reply.status, status, reply.text);
      return reply.body;
    }
  };
  const show = async (id: string) =>
    (
      await http
        .get(`/items/${encodeURIComponent(id)}`)
        .set(BEARER)
        .expect(200)
    ).body;
  const listed = async (userId = "nobody"): Promise<string[]> =>
    (await http.get("/recommend").set(BEARER).query({ userId, k: 100 }).expect(200)).body.items.map(
      (item: { itemId: string }) => item.itemId,
    );

  before(async () => {
    rig = await startRig({ settings: { policyFile: null } });
    http = rig.http();
    const version = await rig.register("popularity");
    await http
      .post(`/models/${version}/promote`)
      .set(BEARER)
      .send({ expectedLive: null, reason: "first" })
      .expect(200);
    await eventually(async () => (await http.get("/readyz")).status === 200);
  });
  after(() => rig.stop());

  it("a new one is known at once: shown, named, taken in feedback, and honest about what lists need", async () => {
    await http.get("/items/n1").set(BEARER).expect(404);
    const attributes = { language: "Deutsch", runtime: 96, subtitled: true, stars: ["A. Öz", "B"] };
    await put({ itemId: "n1", title: "New", genres: ["Noir"], year: 2026, attributes });
    assert.deepEqual(await show("n1"), {
      itemId: "n1",
      title: "New",
      genres: ["Noir"],
      year: 2026,
      attributes,
      available: true,
      availableFrom: null,
      availableUntil: null,
      hidden: false,
      scored: false,
    });
    assert.equal((await show("f1")).scored, true);
    const event = { eventId: "n-1", userId: "noa", itemId: "n1", type: "watch" };
    await http
      .post("/feedback")
      .set(BEARER)
      .send({ events: [event] })
      .expect(202);
    const { body } = await http.get("/users/noa").set(BEARER).expect(200);
    assert.deepEqual(
      body.history.map((entry: { itemId: string }) => entry.itemId),
      ["n1"],
    );
    const named = await http
      .post("/recommend")
      .set(BEARER)
      .send({ filter: { genre: "noir" } })
      .expect(200);
    assert.deepEqual(named.body.items, []);
    await http.get("/items/n1/similar").set(BEARER).expect(200);
  });

  it("keeps what a later change does not name; null removes an attribute", async () => {
    await put({ itemId: "n2", title: "Two", attributes: { a: 1, b: ["x"] } });
    await put({ itemId: "n2", attributes: { a: null, c: false } });
    const { title, attributes } = await show("n2");
    assert.deepEqual([title, attributes], ["Two", { b: ["x"], c: false }]);
  });

  it("an availability bounds when lists hold it, at once", async () => {
    const ahead = new Date(Date.now() + 3_600_000).toISOString();
    const past = Date.now() - 3_600_000;
    for (const [bounds, isListed] of [
      [{ availableFrom: ahead }, false],
      [{ availableFrom: past }, true],
      [{ availableUntil: past }, false],
      [{ availableUntil: ahead }, true],
      [{ availableUntil: null, available: false }, false],
      [{ available: true }, true],
    ] as const) {
      await put({ itemId: "f2", ...bounds });
      assert.equal((await listed()).includes("f2"), isListed, JSON.stringify(bounds));
      assert.equal((await show("f2")).hidden, !isListed);
    }
    assert.equal((await show("f2")).availableFrom, new Date(past).toISOString());
    const seconds = await put({ itemId: "f2", availableFrom: 1_700_000_000 }, 400);
    assert.match(seconds.error.message, /items\.0\.availableFrom: .*looks like seconds: send 1700000000000/);
  });

  it("come and go on time while nobody changes anything", async () => {
    const redis = connectRedis({ redisUrl: rig.redis.url }, "patient", () => {});
    const store = redisItemChanges(redis);
    const items = new Map([
      [itemId("w"), { title: "W", genres: [], availability: { from: 100, until: 200 } }],
    ]);
    let now = 50;
    const file = { current: new CatalogueIndex(items), items };
    const followed = new FollowedItems(
      file,
      store,
      (error) => assert.fail(String(error)),
      () => now,
    );
    const hidden = (): boolean => followed.hidden?.has(itemId("w")) ?? false;
    assert.equal(hidden(), true);
    now = 100;
    assert.equal(hidden(), false);
    now = 200;
    assert.equal(hidden(), true);
    await store.change(new Map([[itemId("w"), { availableUntil: null }]]));
    await followed.look();
    assert.equal(hidden(), false);
    redis.disconnect();
  });

  it("are read a page at a time, the imported ones first, then those added since by id", async () => {
    const page = async (from: number, limit: number) =>
      (await http.get("/items").set(BEARER).query({ from, limit }).expect(200)).body;
    const { total } = await page(0, 1);
    const ids: string[] = [];
    for (let from = 0; from < total; from += 4)
      ids.push(...(await page(from, 4)).items.map((item: { itemId: string }) => item.itemId));
    assert.deepEqual([ids.length, new Set(ids).size], [total, total]);
    assert.ok(ids.indexOf("n1") < ids.indexOf("n2"));
    await http.get("/items").expect(401);
  });

  it("has names of attributes of any letters, and refuses what is none", async () => {
    await put({ itemId: "n3", attributes: { "Länge (min)": 5, 言語: "日本語", constructor: "x" } });
    assert.deepEqual((await show("n3")).attributes, { "Länge (min)": 5, 言語: "日本語", constructor: "x" });
    for (const attributes of [{ _x: 1 }, { a: { b: 1 } }, { a: [1] }]) {
      const refused = await put({ itemId: "n3", attributes }, 400);
      assert.match(refused.error.message, /items\.0\.attributes/, JSON.stringify(attributes));
    }
  });
});
