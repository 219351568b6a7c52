import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type supertest from "supertest";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

describe("a live model that fails in service", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let popular: string;
  let lately: string;

  before(async () => {
    rig = await startRig();
    http = rig.http();
    popular = await rig.register("popularity");
    lately = await rig.register("popular-lately", { halfLifeDays: 30 });
    const promote = (version: string, expectedLive: string | null) =>
      http
        .post(`/models/${version}/promote`)
        .set(BEARER)
        .send({ expectedLive, reason: "tests", force: true })
        .expect(200);
    await promote(popular, null);
    await promote(lately, popular);
  });
  after(() => rig.stop());

  it("costs no request its answer, and is rolled back by itself", async () => {
    const { lineup } = rig.server.live;
    assert.equal(lineup?.live.version, lately);
    lineup.live.recommender.recommend = () => {
      throw new Error("planted");
    };
    for (let request = 0; request < 8; request++) {
      const { body } = await http.get("/recommend?k=3").expect(200);
      assert.equal(body.model.version, popular);
    }
    await eventually(async () => (await rig.registry.live())?.version === popular, "rolled back");
    assert.equal((await rig.registry.version(lately))?.state, "QUARANTINED");
    const entries = await rig.registry.audit();
    const rollback = entries.find(({ action }) => action === "auto-rollback");
    assert.equal(rollback?.actor, "breaker");
    assert.equal(rollback?.from, lately);
    const { text } = await http.get("/metrics");
    assert.match(
      text,
      new RegExp(`phasewise_model_fallbacks_total\\{from="${lately}",to="${popular}"\\} [5-8]$`, "m"),
    );
  });
});
