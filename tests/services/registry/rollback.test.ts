import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { redisRegistry } from "../../../services/registry/registry.ts";
import { HOUR_MS, registryRig } from "./rig.ts";

describe("rollbacks in the registry", () => {
  const rig = registryRig();
  const { eligible, promote, rollback, stateOf, climbTwice } = rig;

  test("a rolled-back version is quarantined and never promoted again, forced or not", async () => {
    await climbTwice();
    const result = await rollback("b");
    assert.equal(result.changed, true);
    assert.equal(result.left, "b");
    assert.deepEqual([result.live.version, result.live.previous, result.live.epoch], ["a", null, 4]);
    assert.equal(await stateOf("b"), "QUARANTINED");
    assert.equal(await stateOf("a"), "LIVE");
    await assert.rejects(promote("b", "a", true), { code: "NOT_PROMOTABLE", message: /never rolled back/ });
  });

  test("a repeated rollback is a no-op, and further ones end on the floor", async () => {
    await climbTwice();
    await rollback("b");
    const repeat = await rollback("b");
    assert.equal(repeat.changed, false);
    assert.equal(repeat.left, "b");
    assert.equal(repeat.live.version, "a");
    assert.equal((await rollback()).live.version, "floor");
    assert.equal(await stateOf("floor"), "LIVE");
    await assert.rejects(rollback(), { code: "NOTHING_TO_ROLL_BACK" });
    await assert.rejects(rollback("floor"), { code: "NOTHING_TO_ROLL_BACK" });
  });

  test("nothing live is nothing to roll back", async () => {
    await assert.rejects(rollback(), { code: "NOTHING_TO_ROLL_BACK" });
    await assert.rejects(rollback("a"), { code: "NOTHING_TO_ROLL_BACK" });
  });

  test("two automatic rollbacks in 24 hours go to the floor and freeze promotions until an operator lifts it", async () => {
    await climbTwice();
    await rollback("b", true);
    assert.equal(await rig.registry.freeze(), null);
    await eligible("c");
    await promote("c", "a");
    rig.clock += 23 * HOUR_MS;
    assert.equal((await rollback("c", true)).live.version, "floor");
    assert.equal(await stateOf("a"), "RETIRED");
    assert.match((await rig.registry.freeze())?.reason ?? "", /2 automatic rollbacks/);
    await eligible("d");
    await assert.rejects(promote("d", "floor"), {
      code: "NOT_PROMOTABLE",
      message: /frozen .+ lift the freeze/,
    });
    await assert.rejects(promote("d", "floor", true), { code: "NOT_PROMOTABLE" });
    assert.equal(await rig.registry.unfreeze("bad data feed, repaired", "operator"), true);
    assert.equal(await rig.registry.unfreeze("again", "operator"), false);
    assert.equal((await promote("d", "floor")).version, "d");
    assert.deepEqual(
      (await rig.registry.audit())
        .map(({ action }) => action)
        .filter((action) => /freeze|rollback/.test(action)),
      ["auto-rollback", "auto-rollback", "freeze", "unfreeze"],
    );
  });

  test("as many automatic rollbacks in 24 hours freeze as the policy says", async () => {
    rig.registry = redisRegistry(rig.redis, { now: () => rig.clock, automaticPerDay: 3 });
    await climbTwice();
    await rollback("b", true);
    for (const version of ["c", "d"]) {
      assert.equal(await rig.registry.freeze(), null);
      await eligible(version);
      await promote(version, "a");
      rig.clock += HOUR_MS;
      await rollback(version, true);
    }
    assert.equal((await rig.registry.live())?.version, "floor");
    assert.match((await rig.registry.freeze())?.reason ?? "", /3 automatic rollbacks/);
  });

  test("automatic rollbacks more than 24 hours apart do not freeze, nor do an operator's", async () => {
    await climbTwice();
    await rollback("b", true);
    await eligible("c");
    await promote("c", "a");
    rig.clock += 24 * HOUR_MS;
    assert.equal((await rollback("c", true)).live.version, "a");
    assert.equal(await rig.registry.freeze(), null);
    await eligible("d");
    await promote("d", "a");
    assert.equal((await rollback("d")).live.version, "a");
    assert.equal(await rig.registry.freeze(), null);
  });
});
