import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type supertest from "supertest";
import { RequestIds } from "../../services/keys/request-ids.ts";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";

const DAY_MS = 86_400_000;

describe("the id of a list", () => {
  const ids = new RequestIds("secret");

  it("is known again for its user, for sixty days", () => {
    const signed = ids.sign("a-b", "anna", "als-1", 100 * DAY_MS);
    assert.equal(ids.idOf(signed, "anna", 100 * DAY_MS), "a-b");
    assert.equal(ids.idOf(signed, "anna", 160 * DAY_MS), "a-b");
    assert.equal(ids.idOf(signed, "anna", 161 * DAY_MS), null);
    assert.equal(ids.idOf(signed, "bela", 100 * DAY_MS), null);
    assert.equal(new RequestIds("other").idOf(signed, "anna", 100 * DAY_MS), null);
    assert.equal(new RequestIds().idOf(signed, "anna", 100 * DAY_MS), null);
  });

  it("is refused with any part changed", () => {
    const signed = ids.sign("a-b", "anna", "als-1", 0);
    for (let at = 0; at < signed.length - 1; at++) {
      const forged = `${signed.slice(0, at)}${signed[at] === "x" ? "y" : "x"}${signed.slice(at + 1)}`;
      assert.equal(ids.idOf(forged, "anna", 0), null, forged);
    }
  });
});

describe("feedback that names a list", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let raw: Redis;

  before(async () => {
    rig = await startRig();
    http = rig.http();
    raw = new Redis(rig.redis.url);
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(async () => {
    raw.disconnect();
    await rig.stop();
  });

  it("counts as chosen from it only when the service gave that user the name", async () => {
    const { requestId } = (await http.get("/recommend?userId=anna").set(BEARER).expect(200)).body;
    const [inner] = requestId.split(".");
    const send = async (eventId: string, userId: string, named: string): Promise<string | undefined> => {
      const event = { eventId, userId, itemId: "f1", type: "watch", requestId: named };
      await http
        .post("/feedback")
        .set(BEARER)
        .send({ events: [event] })
        .expect(202);
      const [[, fields]] = await raw.xrevrange("{phasewise}:events", "+", "-", "COUNT", 1);
      return JSON.parse(fields[1]).requestId;
    };
    assert.equal(await send("true", "anna", requestId), inner);
    assert.equal(await send("another's", "bela", requestId), undefined);
    assert.equal(await send("unsigned", "anna", inner), undefined);
    for (let n = 0; n < 150; n++) assert.equal(await send(`forged-${n}`, "anna", `forged-${n}`), undefined);
    assert.match((await http.get("/metrics")).text, /phasewise_forged_request_ids_total 152/);
  });
});
