import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOUR_MS, registryRig } from "./rig.ts";

describe("the audit log", () => {
  const rig = registryRig();
  const { register, eligible, promote, rollback, climbTwice } = rig;

  test("the audit is a chain in which any change of a stored entry shows at its sequence", async () => {
    await climbTwice();
    await rollback("b");
    const audit = await rig.registry.audit();
    assert.deepEqual(
      audit.map(({ sequence }) => sequence),
      audit.map((_, position) => position + 1),
    );
    assert.deepEqual(await rig.registry.audit(2), audit.slice(-2));
    assert.equal(await rig.registry.verifyAudit(), null);
    const key = "registry:audit";
    for (const { sequence } of audit) {
      const line = (await rig.redis.lindex(key, sequence - 1)) as string;
      await rig.redis.lset(key, sequence - 1, line.replace(/"actor":"\w+"/, '"actor":"mallory"'));
      assert.equal(await rig.registry.verifyAudit(), sequence);
      await rig.redis.lset(key, sequence - 1, line);
    }
    await rig.redis.rpop(key);
    assert.equal(await rig.registry.verifyAudit(), audit.length);
  });

  test("says what was live when", async () => {
    await register("floor", 1);
    const times = [rig.clock, rig.clock + HOUR_MS, rig.clock + 2 * HOUR_MS].map((at) =>
      new Date(at).toISOString(),
    );
    await promote("floor", null);
    rig.clock += HOUR_MS;
    await eligible("a");
    await promote("a", "floor");
    rig.clock += HOUR_MS;
    await rollback("a");
    assert.deepEqual(
      (await rig.registry.liveHistory()).map(({ version, since, until, action }) => [
        version,
        since,
        until,
        action,
      ]),
      [
        ["floor", times[0], times[1], "promote"],
        ["a", times[1], times[2], "promote"],
        ["floor", times[2], null, "rollback"],
      ],
    );
  });

  test("a clock set back or ahead by an hour changes what times it says, never what came after what (F10)", async () => {
    await climbTwice();
    for (const [version, shift] of [
      ["c", -1],
      ["d", 1],
      ["e", -1],
    ] as const) {
      rig.clock += shift * HOUR_MS;
      await eligible(version);
      const { version: live = null, epoch = 0 } = (await rig.registry.live()) ?? {};
      assert.equal((await promote(version, live)).epoch, epoch + 1);
      assert.equal((await rollback(version)).live.epoch, epoch + 2);
    }
    const audit = await rig.registry.audit();
    const epochs = audit.map(({ epoch }) => epoch);
    assert.deepEqual(
      epochs,
      epochs.toSorted((a, b) => a - b),
    );
    assert.equal(await rig.registry.verifyAudit(), null);
    const order = (await rig.registry.liveHistory()).map(({ version }) => version);
    assert.deepEqual(order.slice(3), ["c", "b", "d", "b", "e", "b"]);
  });

  test("a clock set back does not hide that a second automatic rollback follows the first (F10)", async () => {
    await climbTwice();
    await rollback("b", true);
    rig.clock -= HOUR_MS;
    await eligible("c");
    await promote("c", "a");
    await rollback("c", true);
    assert.notEqual(await rig.registry.freeze(), null);
  });
});
