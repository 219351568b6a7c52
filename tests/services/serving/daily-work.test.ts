import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import supertest from "supertest";
import { startServer } from "../../../services/serving/server.ts";
import { eventually } from "../../support/eventually.ts";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "./rig.ts";

describe("daily work on items, events and users", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let version: string;
  let serial = 0;

  const listOf = async (userId: string): Promise<{ itemId: string; title: string }[]> =>
    (await http.get("/recommend").set(BEARER).query({ userId, k: 100 }).expect(200)).body.items;
  const idsOf = async (userId: string): Promise<string[]> =>
    (await listOf(userId)).map(({ itemId }) => itemId);
  const events = (userId: string, ...given: object[]) => ({
    events: given.map((event) => ({ eventId: `daily-${serial++}`, userId, type: "watch", ...event })),
  });
  const feed = (body: object, status: number) => http.post("/feedback").set(BEARER).send(body).expect(status);

  before(async () => {
    rig = await startRig();
    http = rig.http();
    version = await rig.register("popularity");
    await http
      .post(`/models/${version}/promote`)
      .set(BEARER)
      .send({ expectedLive: null, reason: "first" })
      .expect(200);
    await eventually(async () => (await http.get("/readyz")).status === 200);
  });
  after(() => rig.stop());

  it("hides an item from every list without a promotion, and lets it back in", async () => {
    const change = (available: boolean) =>
      http
        .put("/items")
        .set(BEARER)
        .send({ items: [{ itemId: "f1", available }] })
        .expect(200, { items: 1 });
    assert.ok((await idsOf("eve")).includes("f1"));
    await change(false);
    await eventually(async () => !(await idsOf("eve")).includes("f1"), "f1 is hidden");
    const { body } = await http.get("/items/f2/similar").set(BEARER).query({ k: 100 }).expect(200);
    assert.ok(body.items.every(({ itemId }: { itemId: string }) => itemId !== "f1"));
    await change(true);
    await eventually(async () => (await idsOf("eve")).includes("f1"), "f1 is back");
    await http.get("/items/f1/similar").set(BEARER).expect(200);
  });

  it("changes a title at once, and keeps what it does not name", async () => {
    await http
      .put("/items")
      .set(BEARER)
      .send({
        items: [
          { itemId: "f2", title: "Another name" },
          { itemId: "new", title: "New", genres: ["Noir"] },
        ],
      })
      .expect(200);
    await eventually(
      async () => (await listOf("eve")).some(({ title }) => title === "Another name"),
      "the title",
    );
    const { body } = await http.get("/recommend").set(BEARER).query({ k: 100 }).expect(200);
    const changed = body.items.find(({ itemId }: { itemId: string }) => itemId === "f2");
    assert.deepEqual([changed.title, changed.genres], ["Another name", ["Comedy"]]);
    await http.get("/recommend").set(BEARER).query({ genre: "noir" }).expect(200);
  });

  it("gives events their meaning: a dislike is excluded, an impression is nothing, the unknown is refused with a hint", async () => {
    await feed(events("ida", { itemId: "f3", type: "dislike" }, { itemId: "f4", type: "impression" }), 202);
    await eventually(async () => !(await idsOf("ida")).includes("f3"), "f3 is excluded");
    assert.ok((await idsOf("ida")).includes("f4"));
    const unknown = await feed(events("ida", { itemId: "f5", type: "wishlist" }), 400);
    assert.match(unknown.body.error.message, /events\.0\.type: expected one of watch, .*policy \(events\)/);
    const seconds = await feed(events("ida", { itemId: "f5", timestamp: 1_700_000_000 }), 400);
    assert.match(seconds.body.error.message, /looks like seconds: send 1700000000000/);
    await feed(
      events("ida", { itemId: "f5", timestamp: "2024-05-01T10:00:00+02:00", type: "rating", rating: 0 }),
      202,
    );
  });

  it("takes any id of up to 512 bytes there and back", async () => {
    const ids = [
      "__proto__",
      "..",
      "a/b?c#d",
      "100%",
      "ä|ö",
      "日本 🎬",
      "two\nlines",
      "x".repeat(512),
      "000123",
      "1.0",
    ];
    for (const id of ids) {
      await feed(events(id, { itemId: id }), 202);
      const { body } = await http
        .get(`/users/${encodeURIComponent(id)}`)
        .set(BEARER)
        .expect(200);
      assert.deepEqual(
        [body.userId, body.history.map((entry: { itemId: string }) => entry.itemId)],
        [id, [id]],
      );
      await http.get("/recommend").set(BEARER).query({ userId: id }).expect(200);
    }
    for (const id of ["", "x".repeat(513), " padded", "half \ud83c letter"]) {
      const refused = await feed(events("ann", { itemId: id }), 400);
      assert.match(
        refused.body.error.message,
        /itemId: expected an item id of 1 to 512 bytes/,
        JSON.stringify(id),
      );
    }
  });

  it("takes an erased user out of every replica at once, what visitors said too, and takes back nothing that is older", async () => {
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
    const there = supertest.agent(other.url);
    await eventually(async () => (await there.get("/readyz")).status === 200, "the other replica");
    const seenThere = async (): Promise<boolean> => {
      const { body } = await there.get("/recommend").query({ userId: "vic", k: 100 }).expect(200);
      return !body.items.some(({ itemId }: { itemId: string }) => itemId === "f1");
    };
    await there
      .post("/feedback")
      .send(events("vic", { itemId: "f1" }))
      .expect(202);
    assert.ok(await seenThere());
    await http.delete("/users/vic").set(BEARER).expect(202);
    await eventually(async () => !(await seenThere()), "the other replica has forgotten");
    const late = events("vic", { itemId: "f1", timestamp: "2024-05-01" });
    const { body } = await feed(late, 202);
    assert.deepEqual(body, { accepted: 0, duplicates: 0, erased: 1 });
    const { body: again } = await feed(events("vic", { itemId: "f2" }), 202);
    assert.deepEqual(again, { accepted: 1, duplicates: 0 });
    await other.close();
  });

  it("undoes an event, and forgets a user's history at once", async () => {
    await feed({ events: [{ eventId: "slip", userId: "uma", itemId: "f1", type: "watch" }] }, 202);
    await eventually(async () => !(await idsOf("uma")).includes("f1"), "f1 is seen");
    await http.delete("/users/uma/events/slip").set(BEARER).expect(200, { undone: true });
    await eventually(async () => (await idsOf("uma")).includes("f1"), "f1 is unseen");
    await feed(events("uma", { itemId: "f2" }), 202);
    const { body } = await http.delete("/users/uma").set(BEARER).expect(202);
    assert.match(body.jobId, /^erase-[0-9a-f-]{36}$/);
    assert.deepEqual((await http.get("/users/uma").set(BEARER).expect(200)).body.history, []);
    await http.delete("/users/uma").expect(401);
  });
});
