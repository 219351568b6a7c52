import assert from "node:assert/strict";
import { chmod, open } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type supertest from "supertest";
import { VERDICTS } from "../../../models/gate/reasons.ts";
import { VERSION_STATES } from "../../../models/gate/states.ts";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

async function flipLastByte(path: string): Promise<void> {
  await chmod(path, 0o600);
  const file = await open(path, "r+");
  const { size } = await file.stat();
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, size - 1);
  byte[0] ^= 1;
  await file.write(byte, 0, 1, size - 1);
  await file.close();
}

describe("the API over a small catalogue", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let popular: string;
  let lately: string;
  let serial = 0;

  const idsOf = (body: { items: { itemId: string }[] }): string[] => body.items.map(({ itemId }) => itemId);
  const watched = (userId: string, ...films: string[]) => ({
    events: films.map((itemId) => ({ eventId: `event-${serial++}`, userId, itemId, type: "watch" })),
  });

  /** Past the time budget of a history read, which a busy machine may overrun. */
  const listOnceStored = async (userId: string) => {
    let body = { history: "", items: [] };
    await eventually(async () => {
      body = (await http.get("/recommend").set(BEARER).query({ userId, k: 100 }).expect(200)).body;
      return body.history === "stored";
    }, `the stored history of ${userId}`);
    return body;
  };

  before(async () => {
    rig = await startRig();
    http = rig.http();
  });
  after(() => rig.stop());

  it("is alive but not ready before the first promotion, and says what to do", async () => {
    await http.get("/healthz").expect(200);
    const readiness = await http.get("/readyz").expect(503);
    assert.match(readiness.body.why, /promote/);
    const refusal = await http.get("/recommend").set(BEARER).expect(503);
    assert.equal(refusal.body.error.code, "NOT_READY");
    assert.match(refusal.body.error.message, /promote a model of phase 1/);
    assert.ok(Number(refusal.headers["retry-after"]) > 0);
  });

  it("promotes the first version and answers an unknown user with what is popular, saying so", async () => {
    popular = await rig.register("popularity");
    const promoted = await http
      .post(`/models/${popular}/promote`)
      .set(BEARER)
      .send({ expectedLive: null, reason: "first" })
      .expect(200);
    assert.equal(promoted.body.live.version, popular);
    assert.equal(promoted.body.live.epoch, 1);
    await eventually(
      async () => (await http.get("/recommend?userId=nobody").set(BEARER)).body.history === "empty",
    );
    const { body } = await http.get("/recommend?userId=nobody&k=3").set(BEARER).expect(200);
    assert.deepEqual(body.items[0], {
      itemId: "f1",
      title: "Film 1",
      genres: ["Drama"],
      score: body.items[0].score,
    });
    assert.deepEqual(idsOf(body), ["f1", "f2", "f3"]);
    assert.deepEqual(body.model, { version: popular, phase: 1, recipe: "popularity" });
    assert.equal(body.source, "popular");
    assert.equal(body.history, "empty");
    assert.match(body.requestId, /^[0-9a-f-]{36}\.popularity-[0-9a-f]{12}\.\d+\.[\w-]{22}$/);
    await http.get("/readyz").expect(200);
  });

  it("never shows again what a known user has seen", async () => {
    await http
      .post("/feedback")
      .set(BEARER)
      .send(watched("anna", "f1", "f3"))
      .expect(202, { accepted: 2, duplicates: 0 });
    const body = await listOnceStored("anna");
    assert.deepEqual(idsOf(body), ["f2", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12"]);
  });

  it("takes the history of an anonymous session as ids or as objects, unknown items included", async () => {
    const plain = await http
      .post("/recommend")
      .send({ history: ["f1", "f2", "not-a-film"], k: 3 })
      .expect(200);
    assert.equal(plain.body.history, "request");
    assert.deepEqual(idsOf(plain.body), ["f3", "f4", "f5"]);
    const detailed = [{ itemId: "f1", timestamp: 1_700_000_000_000, rating: 4.5 }, { itemId: "f2" }];
    const rich = await http.post("/recommend").send({ history: detailed, k: 3 }).expect(200);
    assert.deepEqual(idsOf(rich.body), ["f3", "f4", "f5"]);
  });

  it("leaves out excluded items, in either method", async () => {
    const got = await http.get("/recommend?k=2&exclude=f1,f2").expect(200);
    assert.deepEqual(idsOf(got.body), ["f3", "f4"]);
    const posted = await http
      .post("/recommend")
      .send({ k: 2, exclude: ["f1", "f2"] })
      .expect(200);
    assert.deepEqual(idsOf(posted.body), ["f3", "f4"]);
  });

  it("keeps to a genre whatever its case, and names the known ones when it is none", async () => {
    const drama = await http.get("/recommend?k=100&genre=drama").expect(200);
    assert.deepEqual(idsOf(drama.body), ["f1", "f3", "f5", "f7", "f9", "f11"]);
    const western = await http
      .post("/recommend")
      .send({ filter: { genre: "Western" } })
      .expect(200);
    assert.deepEqual(idsOf(western.body), ["f10", "f11", "f12"]);
    const { body } = await http.get("/recommend?genre=Opera").expect(400);
    assert.equal(body.error.field, "genre");
    assert.deepEqual(body.error.details.known, ["Comedy", "Drama", "Western"]);
  });

  it("gives items similar to one film, never the film itself", async () => {
    const { body } = await http.get("/items/f1/similar?k=11").expect(200);
    assert.equal(body.item.title, "Film 1");
    assert.equal(body.items.length, 11);
    assert.ok(!idsOf(body).includes("f1"));
    const missing = await http.get("/items/f99/similar").expect(404);
    assert.equal(missing.body.error.field, "itemId");
  });

  it("acknowledges repeated feedback once more without a second effect", async () => {
    const batch = watched("bela", "f4", "unknown-film");
    await http.post("/feedback").set(BEARER).send(batch).expect(202, { accepted: 2, duplicates: 0 });
    await http.post("/feedback").set(BEARER).send(batch).expect(202, { accepted: 0, duplicates: 2 });
    const changed = { events: [{ ...batch.events[0], itemId: "f5" }] };
    const refused = await http.post("/feedback").set(BEARER).send(changed).expect(409);
    assert.equal(refused.body.error.code, "EVENT_ID_REUSED");
    assert.equal(refused.body.error.details.eventId, batch.events[0].eventId);
  });

  it("refuses an event from the future, naming it", async () => {
    const { events } = watched("bela", "f6", "f7");
    const late = { ...events[1], timestamp: Date.now() + 10 * 60_000 };
    const { body } = await http
      .post("/feedback")
      .set(BEARER)
      .send({ events: [events[0], late] })
      .expect(400);
    assert.equal(body.error.field, "events.1.timestamp");
    const slightly = { ...events[1], timestamp: Date.now() + 2 * 60_000 };
    await http
      .post("/feedback")
      .set(BEARER)
      .send({ events: [events[0], slightly] })
      .expect(202);
  });

  it("promotes another version: version and list change at once", async () => {
    lately = await rig.register("popular-lately", { halfLifeDays: 30 });
    const forced = { expectedLive: popular, reason: "tests the lists", force: true };
    await http.post(`/models/${lately}/promote`).set(BEARER).send(forced).expect(200);
    const { body } = await http.get("/recommend?k=3").expect(200);
    assert.equal(body.model.version, lately);
    assert.deepEqual(idsOf(body), ["f12", "f11", "f10"]);
  });

  it("refuses a promotion that expects another live version or epoch, with the present ones", async () => {
    const stale = { expectedLive: popular, reason: "late", force: true };
    const { body } = await http.post(`/models/${popular}/promote`).set(BEARER).send(stale).expect(409);
    assert.equal(body.error.code, "LIVE_VERSION_CHANGED");
    assert.equal(body.error.details.live.version, lately);
    assert.equal(body.error.details.live.epoch, 2);
    const another = await rig.register("popular-lately", { halfLifeDays: 31 });
    const old = { expectedLive: lately, expectedEpoch: 1, reason: "seen before it came back", force: true };
    const refused = await http.post(`/models/${another}/promote`).set(BEARER).send(old).expect(409);
    assert.equal(refused.body.error.code, "LIVE_VERSION_CHANGED");
    assert.equal(refused.body.error.details.live.epoch, 2);
  });

  it("refuses to promote what is not registered, or does not load", async () => {
    const please = { expectedLive: lately, reason: "why not", force: true };
    const unknown = await http.post("/models/als-0123456789ab/promote").set(BEARER).send(please).expect(404);
    assert.equal(unknown.body.error.field, "version");
    const damaged = await rig.register("popular-lately", { halfLifeDays: 99 });
    await flipLastByte(join(rig.folder, "artifacts", damaged, "model.safetensors"));
    const refused = await http.post(`/models/${damaged}/promote`).set(BEARER).send(please);
    assert.equal(refused.status, 409);
    assert.equal(refused.body.error.code, "NOT_PROMOTABLE");
    assert.equal((await http.get("/recommend")).body.model.version, lately);
  });

  it("shows the ladder with its live rung, its versions' figures and its recipes", async () => {
    const { body } = await http.get("/ladder").expect(200);
    assert.equal(body.live.version, lately);
    assert.deepEqual(
      body.phases.map(({ phase }: { phase: number }) => phase),
      [1, 2, 3, 4],
    );
    const [first] = body.phases;
    assert.equal(first.live, true);
    const live = first.versions.find(({ version }: { version: string }) => version === lately);
    assert.equal(live.live, true);
    assert.equal(live.state, "LIVE");
    assert.equal(live.offline.ndcg.mean, 0.1);
    assert.ok(first.recipes.some(({ name }: { name: string }) => name === "popular-lately"));
  });

  it("shows every version, and one with its manifest and card", async () => {
    const { body } = await http.get("/models").expect(200);
    assert.ok(body.versions.some(({ version }: { version: string }) => version === popular));
    const one = await http.get(`/models/${popular}`).expect(200);
    assert.equal(one.body.record.version, popular);
    assert.equal(one.body.manifest.version, popular);
    assert.ok(one.body.card.startsWith(`# ${one.body.record.version}\n`));
    assert.deepEqual(one.body.modelCard.data, one.body.manifest.data);
    assert.equal(one.body.modelCard.diagnosis, null);
    await http.get("/models/als-000000000000").expect(404);
  });

  it("queues an analysis once, for a version that exists", async () => {
    const ask = (version: string) => http.post(`/models/${version}/analyse`).set(BEARER).send({});
    const { body } = await ask(popular).expect(202);
    assert.equal((await ask(popular).expect(202)).body.jobId, body.jobId);
    await ask("als-000000000000").expect(404);
    await http.post(`/models/${popular}/analyse`).send({}).expect(401);
  });

  it("rolls back to the version before, once", async () => {
    const body = { expectedLive: lately, reason: "tests the way back" };
    const first = await http.post("/rollback").set(BEARER).send(body).expect(200);
    assert.equal(first.body.changed, true);
    assert.equal(first.body.live.version, popular);
    const list = await http.get("/recommend?k=3").expect(200);
    assert.equal(list.body.model.version, popular);
    assert.deepEqual(idsOf(list.body), ["f1", "f2", "f3"]);
    const again = await http.post("/rollback").set(BEARER).send(body).expect(200);
    assert.equal(again.body.changed, false);
    const repeat = await http.post("/rollback").set(BEARER).send({ reason: "once more" }).expect(200);
    assert.equal(repeat.body.changed, false);
    assert.match(repeat.body.sentence, new RegExp(`^Nothing to do: ${lately} was left \\d+ s ago already`));
    const further = { expectedLive: popular, reason: "further" };
    const nothing = await http.post("/rollback").set(BEARER).send(further).expect(409);
    assert.equal(nothing.body.error.code, "NOTHING_TO_ROLL_BACK");
  });

  it("keeps an audit that verifies and a history of what was live", async () => {
    const audit = await http.get("/audit").set(BEARER).expect(200);
    assert.equal(audit.body.firstBroken, null);
    const { body } = await http.get("/live").expect(200);
    assert.equal(body.live.version, popular);
    assert.deepEqual(
      body.history.map(({ action, version }: { action: string; version: string }) => [action, version]),
      [
        ["promote", popular],
        ["force-promote", lately],
        ["rollback", popular],
      ],
    );
  });

  it("takes a retrain order, once while it waits, and shows the job", async () => {
    const order = { phase: 1, recipe: "popular-lately", params: { halfLifeDays: 20 } };
    const first = await http.post("/retrain").set(BEARER).send(order).expect(202);
    const second = await http.post("/retrain").set(BEARER).send(order).expect(202);
    assert.equal(second.body.jobId, first.body.jobId);
    const { body } = await http.get(`/jobs/${first.body.jobId}`).set(BEARER).expect(200);
    assert.equal(body.state, "waiting");
    assert.equal(body.name, "retrain");
    await http.get("/jobs/retrain-none").set(BEARER).expect(404);
  });

  it("names the parameter that a recipe does not take", async () => {
    const cases = [
      {
        order: { phase: 1, recipe: "popular-lately", params: { halfLifeDays: -1 } },
        field: "params.halfLifeDays",
      },
      { order: { phase: 1, recipe: "popular-lately", params: { epochs: 3 } }, field: "params.epochs" },
      { order: { phase: 1, recipe: "gut-feeling" }, field: "recipe" },
      { order: { phase: 7 }, field: "phase" },
      { order: {}, field: "phase" },
    ];
    for (const { order, field } of cases) {
      const { body } = await http.post("/retrain").set(BEARER).send(order).expect(400);
      assert.equal(body.error.field, field, JSON.stringify(body));
    }
  });

  it("has no decisions yet", async () => {
    await http.get("/decisions").expect(200, { decisions: [] });
    await http.get("/decisions/none").expect(404);
  });

  it("describes itself: OpenAPI, pages and metrics", async () => {
    const { body } = await http.get("/openapi.json").expect(200);
    for (const path of ["/recommend", "/feedback", "/ladder", "/models/{version}/promote", "/rollback"]) {
      assert.ok(path in body.paths, path);
    }
    assert.deepEqual(body.paths["/rollback"].post.security, [{ key: [] }]);
    const replyOf = (path: string) =>
      body.paths[path].get.responses["200"].content["application/json"].schema;
    const { state } = replyOf("/models").properties.versions.items.properties;
    assert.deepEqual(state.enum, VERSION_STATES);
    const { verdict } = replyOf("/decisions").properties.decisions.items.properties.ruling.properties;
    assert.deepEqual(verdict.enum, VERDICTS);
    const page = await http.get("/docs/").expect(200);
    assert.match(page.headers["content-security-policy"], /script-src 'self'/);
    const foreign = [...page.text.matchAll(/(?:src|href)="(https?:)?\/\//g)];
    assert.deepEqual(foreign, [], "the pages load nothing from elsewhere");
    const metrics = await http.get("/metrics").expect(200);
    assert.match(metrics.text, new RegExp(`phasewise_live_info\\{version="${popular}"`));
    assert.match(metrics.text, /phasewise_requests_total\{route="\/recommend",method="GET",status="200"\}/);
  });
});
