import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhasewiseError } from "../../../services/errors.ts";
import { WriteGate } from "../../../services/serving/write-gate.ts";

describe("F1: writes while the store fails", () => {
  it("are refused without being tried, but for one at a time that tries whether it is back", async () => {
    let now = 0;
    let fails = true;
    let tried = 0;
    const gate = new WriteGate(() => now);
    const write = () =>
      gate.write(async () => {
        tried++;
        if (fails) throw new PhasewiseError("STORE_UNAVAILABLE", "a test");
        return "written";
      });
    const refused = { code: "STORE_UNAVAILABLE" };
    await assert.rejects(write(), refused);
    for (let n = 0; n < 100; n++) await assert.rejects(write(), refused);
    assert.equal(tried, 1);
    now += 1000;
    const many = await Promise.allSettled(Array.from({ length: 100 }, write));
    assert.equal(tried, 2);
    assert.ok(many.every(({ status }) => status === "rejected"));
    now += 1000;
    fails = false;
    assert.equal(await write(), "written");
    assert.equal(await write(), "written");
  });

  it("go on after an error that is not the store's", async () => {
    const gate = new WriteGate(() => 0);
    const conflict = new PhasewiseError("EVENT_ID_REUSED", "a test");
    await assert.rejects(
      gate.write(() => Promise.reject(conflict)),
      { code: "EVENT_ID_REUSED" },
    );
    assert.equal(await gate.write(async () => 1), 1);
  });
});
