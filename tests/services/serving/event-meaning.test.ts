import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { replay } from "../../../deploy/replay/replay.ts";
import type { InteractionLog } from "../../../models/data/interaction-log.ts";
import { importInteractions } from "../../../services/interactions/import/import.ts";
import { readEventRules } from "../../../services/policy-file.ts";
import { eventually } from "../../support/eventually.ts";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "./rig.ts";

/** Of films rated 0 to 10, those from 6 on are liked; the site has a type of its own; what nobody knows is refused. */
const POLICY = {
  formatVersion: 1,
  events: { wishlist: 0.25, watch: 2 },
  ratings: { minimum: 0, maximum: 10, likedFrom: 6, unrated: [0] },
  unknownItems: "refuse",
};
/** Type, rating, and what the policy says they weigh. */
const MEANINGS: readonly (readonly [type: string, rating: number | null, weight: number])[] = [
  ["watch", null, 2],
  ["rating", 8, 8],
  ["rating", 3, -3],
  ["rating", 0, 1],
  ["dislike", null, -1],
  ["wishlist", null, 0.25],
  ["impression", null, 0],
];
const START = Date.UTC(2020, 0, 1);

describe("what events mean", () => {
  let rig: Rig;
  let folder: string;
  let serial = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-meaning-"));
    const policyFile = join(folder, "policy.json");
    await writeFile(policyFile, JSON.stringify(POLICY));
    rig = await startRig({ settings: { policyFile } });
    const version = await rig.register("popularity");
    await rig
      .http()
      .post(`/models/${version}/promote`)
      .set(BEARER)
      .send({ expectedLive: null, reason: "first" });
    await eventually(async () => (await rig.http().get("/readyz")).status === 200);
  });
  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const send = async (userId: string, event: object) => {
    const eventId = `meaning-${serial++}`;
    for (;;) {
      const reply = await rig
        .http()
        .post("/feedback")
        .set(BEARER)
        .send({ events: [{ eventId, userId, ...event }] });
      if (reply.status !== 503) return reply;
    }
  };
  const weightsOf = async (userId: string): Promise<Map<string, number>> => {
    const { body } = await rig.http().get(`/users/${userId}`).set(BEARER).expect(200);
    const history = body.history as { itemId: string; weight: number }[];
    return new Map(history.map(({ itemId, weight }) => [itemId, weight]));
  };
  const expected = new Map(
    MEANINGS.map(([, , weight], n): [string, number] => [`f${n + 1}`, weight]).filter(
      ([, weight]) => weight !== 0,
    ),
  );

  async function imported(): Promise<InteractionLog> {
    const rows = MEANINGS.map(([type, rating], n) => `ann,f${n + 1},${type},${rating ?? ""},${START + n}`);
    const file = join(folder, "ratings.csv");
    await writeFile(file, `user,item,type,rating,timestamp\n${rows.join("\n")}\n`);
    const rules = await readEventRules(join(folder, "policy.json"));
    return (await importInteractions(file, { now: Date.now(), rules })).log;
  }

  it("is one rule for an import, the API and a replay of what was imported", async () => {
    const log = await imported();
    assert.deepEqual(
      [...log.weights],
      MEANINGS.map(([, , weight]) => weight),
    );
    for (const [n, [type, rating]] of MEANINGS.entries()) {
      const event = { itemId: `f${n + 1}`, type, ...(rating === null ? {} : { rating }) };
      assert.equal((await send("bob", event)).status, 202);
    }
    assert.deepEqual(await weightsOf("bob"), expected);
    const done = await replay({ url: rig.server.url, key: ADMIN_KEY, log, from: 0, eventsPerSecond: 0 });
    assert.equal(done.failures, 0);
    assert.deepEqual(await weightsOf("ann"), expected);
  });

  it("off the scale is refused alike, with where the scale stands", async () => {
    const reply = await send("bob", { itemId: "f1", type: "rating", rating: 11 });
    assert.equal(reply.status, 400);
    assert.match(
      reply.body.error.message,
      /rating: expected 0 to 10, got 11; the scale stands in the policy/,
    );
    const file = join(folder, "off.csv");
    await writeFile(file, `user,item,rating\n${"ann,f1,8\n".repeat(3)}ann,f2,11\n`);
    const rules = await readEventRules(join(folder, "policy.json"));
    const { report } = await importInteractions(file, { now: Date.now(), rules });
    assert.deepEqual(
      report.rejected.filter(({ kind }) => kind !== "duplicate").map(({ kind, rows }) => [kind, rows]),
      [["rating-off-scale", 1]],
    );
  });

  it("an unknown item is refused by this policy, until it is added", async () => {
    const unknown = { itemId: "brand-new", type: "watch" };
    const refused = await send("cy", unknown);
    assert.equal(refused.status, 400);
    assert.match(
      refused.body.error.message,
      /expected an item of the catalogue, got "brand-new"; add it first/,
    );
    await eventually(async () => {
      const put = await rig
        .http()
        .put("/items")
        .set(BEARER)
        .send({ items: [{ itemId: "brand-new", title: "Brand new" }] });
      return put.status === 200;
    });
    assert.equal((await send("cy", unknown)).status, 202);
    assert.deepEqual(await weightsOf("cy"), new Map([["brand-new", 2]]));
    const metrics = await rig.http().get("/metrics").set(BEARER);
    assert.match(metrics.text, /unknown_items_total 1\b/);
  });
});
