import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { RedisRegistry } from "../../../services/registry/registry.ts";
import type { CanaryRequest } from "../../../services/registry/types.ts";
import { registryRig } from "./rig.ts";

describe("the canary in the registry", () => {
  const rig = registryRig();
  const { register, eligible, promote, stateOf } = rig;
  let registry: RedisRegistry;
  beforeEach(async () => {
    registry = rig.registry;
    await register("floor", 1);
    await promote("floor", null);
    await eligible("a");
    await promote("a", "floor");
    await eligible("b");
  });
  afterEach(async () => assert.equal(await registry.verifyAudit(), null));

  const canary = (version: string, share: number, more: Partial<CanaryRequest> = {}) =>
    registry.canary({ version, share, expectedLive: "a", reason: "step by step", actor: "judge", ...more });

  test("steps leave the live version, its history and its rollback alone, and each is one audit entry", async () => {
    const before = await registry.live();
    const periods = await registry.liveHistory();
    const entries = (await registry.audit()).length;
    const started = await canary("b", 0.05);
    assert.deepEqual(started, {
      live: { ...before, epoch: 3, canary: { version: "b", share: 0.05, forced: false } },
      changed: true,
    });
    assert.deepEqual(await registry.live(), started.live);
    assert.equal((await canary("b", 0.25)).live.epoch, 4);
    assert.equal((await canary("b", 0.25)).changed, false);
    assert.deepEqual([await stateOf("a"), await stateOf("b")], ["LIVE", "CANARY"]);
    const added = (await registry.audit()).slice(entries);
    assert.deepEqual(
      added.map(({ action, version, from, epoch, reason }) => [action, version, from, epoch, reason]),
      [
        ["canary", "b", "a", 3, "5 % of the users: step by step"],
        ["canary", "b", "a", 4, "25 % of the users: step by step"],
      ],
    );
    assert.deepEqual(await registry.liveHistory(), periods);
    assert.equal(await registry.verifyAudit(), null);
  });

  test("from the last step an ordinary promotion makes it live for all", async () => {
    await canary("b", 0.5);
    const live = await promote("b", "a");
    assert.deepEqual(
      [live.version, live.previous, live.canary, live.liveEpoch],
      ["b", "a", null, live.epoch],
    );
    assert.deepEqual([await stateOf("a"), await stateOf("b")], ["PREVIOUS", "LIVE"]);
  });

  test("a rollback that names no version, or the canary, ends the canary only and judges nothing; a repeat is a no-op", async () => {
    for (const expectedLive of [undefined, "b2"]) {
      const version = expectedLive ?? "b";
      if (expectedLive !== undefined) await eligible(version);
      await canary(version, 0.1);
      const result = await registry.rollback({ expectedLive, reason: "it fails", actor: "operator" });
      assert.deepEqual([result.left, result.changed, result.live.version], [version, true, "a"]);
      assert.deepEqual([result.live.canary, result.live.previous], [null, "floor"]);
      assert.equal(await stateOf(version), "RETIRED");
      for (const named of [version, undefined]) {
        const again = await registry.rollback({ expectedLive: named, reason: "again", actor: "operator" });
        assert.deepEqual([again.changed, again.left, again.live], [false, version, result.live]);
      }
      await assert.rejects(canary(version, 0.1), { code: "NOT_PROMOTABLE" });
    }
    assert.equal((await canary("b", 0.1, { force: true })).changed, true);
    assert.equal(await stateOf("a"), "LIVE");
  });

  test("a canary that fails is quarantined, and canaries that end by themselves never freeze promotions", async () => {
    for (const version of ["b", "c", "d"]) {
      if (version !== "b") await eligible(version);
      await canary(version, 0.1);
      await registry.rollback({ expectedLive: version, reason: "fails", actor: "breaker", automatic: true });
      assert.equal(await stateOf(version), "QUARANTINED");
      await assert.rejects(canary(version, 0.1, { force: true }), { code: "NOT_PROMOTABLE" });
    }
    assert.equal(await registry.freeze(), null);
    assert.equal((await registry.live())?.version, "a");
  });

  test("a rollback that names the live version leaves that, and the canary's comparison with it is stale", async () => {
    await canary("b", 0.1);
    const result = await registry.rollback({ expectedLive: "a", reason: "it fails", actor: "breaker" });
    assert.deepEqual([result.left, result.live.version, result.live.canary], ["a", "floor", null]);
    assert.deepEqual([await stateOf("a"), await stateOf("b")], ["RETIRED", "STALE"]);
  });

  test("a rollback with a goal is about the live version too, and leaves it while a canary runs", async () => {
    await canary("b", 0.1);
    const result = await registry.rollback({ to: "floor", reason: "complaints", actor: "operator" });
    assert.deepEqual([result.left, result.live.version, result.live.canary], ["a", "floor", null]);
  });

  test("a canary that starts after a rollback is what the next one ends, however soon it comes", async () => {
    await canary("b", 0.1);
    await registry.rollback({ reason: "not this one", actor: "operator" });
    await eligible("c");
    await canary("c", 0.1);
    const second = await registry.rollback({ reason: "nor this one", actor: "operator" });
    assert.deepEqual([second.changed, second.left, second.live.version], [true, "c", "a"]);
  });

  test("a promotion of another version ends it likewise", async () => {
    await canary("b", 0.1);
    await eligible("c");
    assert.equal((await promote("c", "a")).canary, null);
    assert.equal(await stateOf("b"), "STALE");
  });

  test("a share of 0 ends it without blame: released, it may try again", async () => {
    await canary("b", 0.1);
    assert.equal((await canary("b", 0)).live.canary, null);
    assert.equal(await stateOf("b"), "RETIRED");
    await registry.release({ version: "b", reason: "another time", actor: "operator" });
    assert.equal(await stateOf("b"), "STALE");
    assert.equal((await canary("b", 0)).changed, false);
  });

  test("one that was forced is never promoted without force", async () => {
    await register("c");
    await assert.rejects(canary("c", 0.1), { code: "NOT_PROMOTABLE" });
    await canary("c", 0.1, { force: true });
    assert.equal((await registry.audit()).at(-1)?.action, "force-canary");
    await assert.rejects(promote("c", "a"), { code: "NOT_PROMOTABLE" });
    assert.equal((await promote("c", "a", true)).version, "c");
  });

  test("what cannot be one is refused: beside another, without the expected live version, or a rollback's goal", async () => {
    await canary("b", 0.1);
    await eligible("c");
    await assert.rejects(canary("c", 0.1), { code: "NOT_PROMOTABLE", message: /b is the canary already/ });
    await assert.rejects(canary("b", 0.2, { expectedLive: "floor" }), { code: "LIVE_VERSION_CHANGED" });
    await assert.rejects(canary("b", 0.2, { expectedEpoch: 2 }), { code: "LIVE_VERSION_CHANGED" });
    await assert.rejects(canary("floor", 0.2, { force: true }), { code: "NOT_PROMOTABLE" });
    await assert.rejects(canary("nobody", 0.2), { code: "NOT_FOUND" });
    await assert.rejects(canary("b", 1), RangeError);
  });

  test("of twenty at once who widen from the same epoch one wins, the others get the pointer", async () => {
    const { live } = await canary("b", 0.1);
    const rivals = Array.from({ length: 20 }, (_, n) =>
      canary("b", 0.2 + n / 100, { expectedEpoch: live.epoch, reason: `rival ${n}` }),
    );
    const results = await Promise.allSettled(rivals);
    const winners = results.filter((result) => result.status === "fulfilled");
    assert.equal(winners.length, 1);
    for (const result of results) {
      if (result.status === "rejected") assert.equal(result.reason.code, "LIVE_VERSION_CHANGED");
    }
    assert.deepEqual(await registry.live(), winners[0].value.live);
    assert.equal((await registry.audit()).at(-1)?.epoch, live.epoch + 1);
    assert.equal(await registry.verifyAudit(), null);
  });

  test("of ten promotions, ten widenings and ten rollbacks at once the pointer tells one story", async () => {
    await canary("b", 0.1);
    const reason = "a race";
    await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => [
        promote("b", "a"),
        canary("b", 0.2 + n / 100),
        registry.rollback({ expectedLive: "b", reason, actor: "operator" }),
      ]).flat(),
    );
    const live = await registry.live();
    // Whoever was first, b was left in the end: as the canary, or as the live version.
    assert.deepEqual([live?.version, live?.canary], ["a", null]);
    assert.equal(await stateOf("b"), "RETIRED");
    assert.equal(await registry.verifyAudit(), null);
  });
});
