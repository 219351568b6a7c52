import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Phase } from "../../../models/recipe.ts";
import { redisRegistry } from "../../../services/registry/registry.ts";
import type { RollbackRequest } from "../../../services/registry/types.ts";
import { assertWhole } from "../../support/whole-registry.ts";
import { HOUR_MS, registryRig } from "./rig.ts";

describe("rollbacks in the registry", () => {
  const rig = registryRig();
  const { eligible, promote, rollback, stateOf, climbTwice } = rig;
  const back = (request: Partial<RollbackRequest>) =>
    rig.registry.rollback({ reason: "complaints", actor: "operator", ...request });

  test("an operator's rollback retires: the version comes back by force, or through the gate when released", async () => {
    await climbTwice();
    const result = await rollback("b");
    assert.deepEqual([result.changed, result.left, result.to], [true, "b", "a"]);
    assert.deepEqual([result.live.version, result.live.previous, result.live.epoch], ["a", "floor", 4]);
    assert.deepEqual(
      [await stateOf("b"), await stateOf("a"), await stateOf("floor")],
      ["RETIRED", "LIVE", "PREVIOUS"],
    );
    await assert.rejects(promote("b", "a"), { code: "NOT_PROMOTABLE", message: /release it/ });
    assert.equal((await promote("b", "a", true)).version, "b");
    await rollback("b");
    assert.equal(await rig.registry.release({ version: "b", reason: "tuned", actor: "operator" }), true);
    await rig.climb("b", "SCREENED", "SHADOWING", "ELIGIBLE");
    assert.equal((await promote("b", "a")).version, "b");
    await assertWhole(rig.registry);
  });

  test("an operator who acts on the record of a proven loss quarantines too, and it counts against nobody", async () => {
    await climbTwice();
    const { changed } = await back({ expectedLive: "b", decisionId: "d-0123456789abcdef" });
    assert.deepEqual([changed, await stateOf("b")], [true, "QUARANTINED"]);
    assert.equal(await rig.registry.freeze(), null);
    assert.equal((await rig.registry.audit()).at(-1)?.action === "auto-rollback", false);
  });

  test("proven harm or failure quarantines: only a release with a reason, in the audit, lets it return", async () => {
    await climbTwice();
    await rollback("b", true);
    assert.equal(await stateOf("b"), "QUARANTINED");
    await assert.rejects(promote("b", "a", true), {
      code: "NOT_PROMOTABLE",
      message: /QUARANTINED \(it fails\).+release/,
    });
    const release = { version: "b", reason: "the feed was broken, not the model", actor: "operator" };
    assert.equal(await rig.registry.release(release), true);
    assert.equal(await rig.registry.release(release), false);
    assert.equal(await stateOf("b"), "STALE");
    const entries = (await rig.registry.audit()).filter(({ action }) => action === "release");
    assert.deepEqual(
      entries.map(({ version, from, reason, actor }) => [version, from, reason, actor]),
      [["b", "QUARANTINED", release.reason, "operator"]],
    );
    await rig.climb("b", "SCREENED", "SHADOWING", "ELIGIBLE");
    assert.equal((await promote("b", "a")).version, "b");
    await assertWhole(rig.registry);
  });

  test("what serves, waits for a rollback, was rejected, or is unknown cannot be released", async () => {
    await climbTwice();
    await rig.register("new");
    await rig.register("bad");
    await rig.climb("bad", "REJECTED");
    for (const version of ["b", "a", "floor", "new", "bad"]) {
      const release = rig.registry.release({ version, reason: "why not", actor: "operator" });
      await assert.rejects(release, { code: "CONFLICT", message: /expected a QUARANTINED or RETIRED/ });
    }
    const unknown = rig.registry.release({ version: "nobody", reason: "why not", actor: "operator" });
    await assert.rejects(unknown, { code: "NOT_FOUND" });
  });

  test("a repeat within a minute does nothing and says so; later, or by name, it goes one further", async () => {
    await climbTwice();
    await rollback();
    rig.clock += 59_000;
    const entries = (await rig.registry.audit()).length;
    for (const repeat of [await rollback(), await rollback("b")]) {
      assert.deepEqual([repeat.changed, repeat.left, repeat.live.version], [false, "b", "a"]);
      assert.match(repeat.sentence, /Nothing to do: b was left 59 s ago already/);
    }
    assert.equal((await rig.registry.audit()).length, entries);
    const named = await rollback("a");
    assert.deepEqual([named.changed, named.live.version], [true, "floor"]);
    assert.deepEqual([await stateOf("a"), await stateOf("floor")], ["RETIRED", "LIVE"]);
    assert.equal((await rollback()).changed, false);
    rig.clock += 60_000;
    await assert.rejects(rollback(), { code: "NOTHING_TO_ROLL_BACK" });
    await assert.rejects(rollback("floor"), { code: "NOTHING_TO_ROLL_BACK" });
    await assertWhole(rig.registry);
  });

  test("a minute after the first the second goes down, also on a clock set back; a promotion between them counts", async () => {
    await climbTwice();
    await rollback();
    rig.clock -= 3 * HOUR_MS;
    assert.equal((await rollback()).live.version, "floor");
    await eligible("c");
    await promote("c", "floor");
    assert.equal((await rollback()).live.version, "floor");
  });

  test("after the gate has rolled back, an operator who meant the same does not go further down", async () => {
    await climbTwice();
    await rollback("b", true);
    rig.clock += 20_000;
    const late = await rollback();
    assert.deepEqual([late.changed, late.live.version], [false, "a"]);
  });

  test("keeps what was live in a stack, and goes back to the previous, a phase, a version or the floor", async () => {
    await rig.register("floor", 1);
    await promote("floor", null);
    const climb = async (version: string, phase: Phase): Promise<void> => {
      await rig.register(version, phase);
      await promote(version, (await rig.registry.live())?.version ?? null, true);
    };
    await climb("k1", 2);
    await climb("k2", 2);
    await climb("f1", 3);
    await climb("n1", 4);
    const top = await rig.registry.live();
    assert.deepEqual([top?.stack, top?.previous], [["f1", "k2", "k1", "floor"], "f1"]);
    const goals = { previous: "f1", floor: "floor", "phase 2": "k2", "phase 3": "f1", k1: "k1" };
    for (const [to, version] of Object.entries(goals)) {
      const plan = await back({ to, dryRun: true });
      assert.deepEqual([plan.changed, plan.left, plan.to], [true, "n1", version], to);
      assert.match(plan.sentence, new RegExp(`^Would leave n1, live since .+, for ${version};`));
    }
    assert.deepEqual(await rig.registry.live(), top);
    assert.equal((await back({ to: "phase 4" })).changed, false);
    assert.match((await back({ to: "n1" })).sentence, /n1 is live already/);

    const { live } = await back({ to: "k2" });
    assert.deepEqual([live.version, live.previous, live.stack], ["k2", "k1", ["k1", "floor"]]);
    assert.deepEqual(await Promise.all(["n1", "f1", "k2", "k1", "floor"].map(stateOf)), [
      "RETIRED",
      "RETIRED",
      "LIVE",
      "PREVIOUS",
      "RETIRED",
    ]);
    // Another goal within the minute is no repeat; one that is out of reach says what is in it.
    await assert.rejects(back({ to: "phase 3" }), {
      code: "NOTHING_TO_ROLL_BACK",
      message: /expected one of what was live \(k1, floor\)/,
    });
    await assert.rejects(back({ to: "n1" }), { code: "NOTHING_TO_ROLL_BACK", message: /n1 \(RETIRED\)/ });
    await assert.rejects(back({ to: "nobody" }), { code: "NOT_FOUND" });
    assert.equal((await back({ to: "floor" })).live.version, "floor");
    assert.equal((await back({ to: "floor" })).changed, false);
    await assertWhole(rig.registry);
  });

  test("whoever becomes a challenger again is not in the stack any more", async () => {
    await climbTwice();
    await eligible("c");
    await promote("c", "b");
    assert.deepEqual((await rig.registry.live())?.stack, ["b", "a", "floor"]);
    await rig.registry.release({ version: "a", reason: "tuned anew", actor: "operator" });
    assert.deepEqual((await rig.registry.live())?.stack, ["b", "floor"]);
    await assert.rejects(back({ to: "a" }), { code: "NOTHING_TO_ROLL_BACK" });
    assert.deepEqual((await rollback("c")).live.stack, ["floor"]);
    assert.deepEqual((await promote("a", "b", true)).stack, ["b", "floor"]);
    await assertWhole(rig.registry);
  });

  test("a registry without a stack, as earlier releases left it, rolls back to its previous version", async () => {
    await climbTwice();
    await rig.redis.hdel("registry:live", "stack", "byRollback", "lastLeft");
    assert.deepEqual((await rig.registry.live())?.stack, ["a"]);
    assert.deepEqual((await rollback()).live.stack, []);
    assert.equal((await rollback("a")).live.version, "floor");
    await assertWhole(rig.registry);
  });

  test("of twenty operators at once who name nothing, one rolls back and the others are told", async () => {
    await climbTwice();
    const results = await Promise.all(Array.from({ length: 20 }, () => rollback()));
    assert.equal(results.filter(({ changed }) => changed).length, 1);
    assert.ok(results.every(({ left, live }) => left === "b" && live.version === "a"));
    await assertWhole(rig.registry);
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
