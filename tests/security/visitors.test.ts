import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type supertest from "supertest";
import { DEFAULT_POLICY } from "../../models/gate/policy.ts";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";

interface Reply {
  readonly items: readonly { readonly itemId: string }[];
  readonly history: string;
}

describe("a caller without a key", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let raw: Redis;

  const watched = (eventId: string, itemId: string, userId = "anna") => ({
    events: [{ eventId, userId, itemId, type: "watch", timestamp: 1_700_000_000_000 }],
  });
  const listOf = async (headers: Record<string, string>): Promise<Reply> =>
    (await http.get("/recommend?userId=anna&k=100").set(headers).expect(200)).body;
  const idsOf = ({ items }: Reply): string[] => items.map(({ itemId }) => itemId);
  const metric = async (name: string): Promise<number> => {
    const { text } = await http.get("/metrics");
    return Number(
      text
        .split("\n")
        .find((line) => line.startsWith(name))
        ?.split(" ")
        .at(-1) ?? 0,
    );
  };

  before(async () => {
    rig = await startRig({ shadowRate: 1, policy: DEFAULT_POLICY });
    http = rig.http();
    raw = new Redis(rig.redis.url);
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    for (const film of ["f1", "f2", "f3"]) {
      await http
        .post("/feedback")
        .set(BEARER)
        .send(watched(`real-${film}`, film))
        .expect(202);
    }
    await eventually(async () => (await listOf(BEARER)).history === "stored", "the history is read");
  });
  after(async () => {
    raw.disconnect();
    await rig.stop();
  });

  it("cannot tell from lists what a user has seen", async () => {
    const [strange, real] = [await listOf({}), await listOf(BEARER)];
    assert.equal(strange.history, "empty");
    for (const film of ["f1", "f2", "f3"]) {
      assert.ok(idsOf(strange).includes(film), film);
      assert.ok(!idsOf(real).includes(film), film);
    }
  });

  it("shapes his own lists by what he sends, and only those", async () => {
    const before = await listOf(BEARER);
    const length = await raw.xlen("{phasewise}:events");
    await http.post("/feedback").send(watched("mine", "f5")).expect(202, { accepted: 1, duplicates: 0 });
    await http.post("/feedback").send(watched("mine", "f5")).expect(202, { accepted: 0, duplicates: 1 });
    const own = await listOf({});
    assert.equal(own.history, "visitor");
    assert.ok(!idsOf(own).includes("f5"));
    assert.deepEqual(idsOf(await listOf(BEARER)), idsOf(before));
    assert.equal(await raw.xlen("{phasewise}:events"), length);
  });

  it("pushes no real history out of the store, however much he sends", async () => {
    const stored = await raw.lrange("{phasewise}:history:anna", 0, -1);
    for (let batch = 0; batch < 5; batch++) {
      const events = Array.from({ length: 500 }, (_, n) => watched(`flood-${batch}-${n}`, `x${n}`).events[0]);
      await http.post("/feedback").send({ events }).expect(202);
    }
    assert.deepEqual(await raw.lrange("{phasewise}:history:anna", 0, -1), stored);
    assert.ok((await metric('phasewise_unvouched_total{what="event"}')) >= 2500);
  });

  it("asks nothing that the shadow would judge, and neither does a history that was sent", async () => {
    // What was asked through a key from the store goes to the queue; its source is the key's id.
    const waiting = "bull:phasewise-shadow:wait";
    const payloads = async () => {
      const ids = await raw.lrange(waiting, 0, -1);
      const texts = await Promise.all(ids.map((id) => raw.hget(`bull:phasewise-shadow:${id}`, "data")));
      return texts.flatMap(
        (text) => JSON.parse(text ?? "{}").requests as { userId: string; source: string }[],
      );
    };
    await http.get("/recommend?userId=invented-1").expect(200);
    await http
      .post("/recommend")
      .send({ userId: "invented-2", history: ["f1"] })
      .expect(200);
    await http
      .post("/recommend")
      .set(BEARER)
      .send({ userId: "invented-3", history: ["f1"] })
      .expect(200);
    await http.get("/recommend?userId=known").set(BEARER).expect(200);
    await eventually(async () => (await payloads()).some(({ userId }) => userId === "known"));
    const requests = await payloads();
    assert.deepEqual(
      requests.filter(({ userId }) => userId.startsWith("invented")),
      [],
    );
    assert.ok(requests.every(({ source }) => source === "admin"));
  });

  it("is told apart in the stream: each event names the key it came through", async () => {
    const made = await http
      .post("/keys")
      .set(BEARER)
      .send({ name: "import", scopes: ["ingest"] });
    const { id, key } = made.body;
    await http
      .post("/feedback")
      .set({ authorization: `Bearer ${key}` })
      .send(watched("through-a-key", "f4", "bela"))
      .expect(202);
    const [[, fields]] = await raw.xrevrange("{phasewise}:events", "+", "-", "COUNT", 1);
    assert.equal(JSON.parse(fields[1]).source, id);
  });
});
