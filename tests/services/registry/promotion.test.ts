import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VERSION_STATES, type VersionState } from "../../../models/gate/states.ts";
import { manifestOf } from "../../support/manifest.ts";
import { HOUR_MS, registryRig } from "./rig.ts";

describe("promotions in the registry", () => {
  const rig = registryRig();
  const { register, climb, eligible, promote, rollback, stateOf, climbTwice } = rig;

  test("nothing is live, registered or audited at first", async () => {
    assert.equal(await rig.registry.live(), null);
    assert.deepEqual(await rig.registry.versions(), []);
    assert.equal(await rig.registry.version("a"), null);
    assert.deepEqual(await rig.registry.audit(), []);
    assert.equal(await rig.registry.verifyAudit(), null);
  });

  test("registering again changes nothing; other arrays under the same version are refused", async () => {
    const first = await register("a");
    assert.equal(first.state, "REGISTERED");
    assert.equal(first.attempts, 0);
    rig.clock += HOUR_MS;
    assert.deepEqual(await register("a"), first);
    assert.equal((await rig.registry.audit()).length, 1);
    const other = { ...manifestOf("a"), sha256: "f".repeat(64) };
    await assert.rejects(rig.registry.register(other, "x", "trainer"), { code: "CONFLICT" });
  });

  test("the first phase-1 version goes live without a trial and becomes the floor", async () => {
    await register("floor", 1);
    const [{ sha256 }] = await rig.registry.audit();
    assert.deepEqual(await promote("floor", null), {
      version: "floor",
      lineage: sha256.slice(0, 16),
      epoch: 1,
      liveEpoch: 1,
      stack: [],
      byRollback: false,
      lastLeft: null,
      previous: null,
      floor: "floor",
      since: new Date(rig.clock).toISOString(),
      canary: null,
    });
    assert.deepEqual(await rig.registry.live(), await rig.registry.live());
    assert.equal(await stateOf("floor"), "LIVE");
  });

  test("the first version ever promoted must be of phase 1, forced or not", async () => {
    await register("a", 2);
    await assert.rejects(promote("a", null), { code: "NOT_PROMOTABLE" });
    await assert.rejects(promote("a", null, true), { code: "NOT_PROMOTABLE" });
  });

  test("a promotion retires the previous version and keeps the old live one to return to", async () => {
    await climbTwice();
    const live = await rig.registry.live();
    assert.deepEqual([live?.version, live?.previous, live?.floor, live?.epoch], ["b", "a", "floor", 3]);
    assert.deepEqual(
      (await rig.registry.versions()).map(({ version, state }) => [version, state]),
      [
        ["a", "PREVIOUS"],
        ["b", "LIVE"],
        ["floor", "RETIRED"],
      ],
    );
  });

  test("a version that is not eligible is refused with its state and the remedy, unless forced", async () => {
    await register("floor", 1);
    await promote("floor", null);
    await register("a");
    await assert.rejects(promote("a", "floor"), {
      code: "NOT_PROMOTABLE",
      message: /expected state ELIGIBLE, got REGISTERED .+ force it with a reason/,
    });
    await promote("a", "floor", true);
    assert.equal((await rig.registry.audit()).at(-1)?.action, "force-promote");
  });

  test("the previous version comes back by a rollback only, forced or not", async () => {
    await climbTwice();
    for (const force of [false, true]) {
      await assert.rejects(promote("a", "b", force), { code: "NOT_PROMOTABLE", message: /roll back to it/ });
    }
    assert.equal((await rollback("b")).live.version, "a");
  });

  test("an unknown version is not found", async () => {
    await assert.rejects(promote("ghost", null), { code: "NOT_FOUND" });
    await assert.rejects(rig.registry.transition("ghost", ["REGISTERED"], "SCREENED", "r", "a"), {
      code: "NOT_FOUND",
    });
  });

  test("a wrong expected version or epoch is refused with the present pointer", async () => {
    await climbTwice();
    const live = await rig.registry.live();
    await assert.rejects(promote("a", "floor", true), { code: "LIVE_VERSION_CHANGED", details: { live } });
    const stale = { version: "a", expectedLive: "b", expectedEpoch: 2, reason: "r", actor: "x", force: true };
    await assert.rejects(rig.registry.promote(stale), { code: "LIVE_VERSION_CHANGED", details: { live } });
  });

  test("a new baseline makes open challengers stale, on promotion and on rollback", async () => {
    await climbTwice();
    await register("open");
    await climb("open", "SCREENED", "SHADOWING");
    await register("screened");
    await climb("screened", "SCREENED");
    await eligible("c");
    await eligible("d");
    await promote("c", "b");
    assert.equal(await stateOf("open"), "STALE");
    assert.equal(await stateOf("d"), "STALE");
    assert.equal(await stateOf("screened"), "SCREENED");
    await climb("open", "SCREENED", "SHADOWING");
    await rollback("c");
    assert.equal(await stateOf("open"), "STALE");
  });

  test("attempts count per challenger and baseline; α is spent over all attempts against the baseline", async () => {
    await register("floor", 1);
    await promote("floor", null);
    await eligible("a");
    await register("b");
    await climb("b", "SCREENED", "SHADOWING");
    assert.deepEqual(
      [(await rig.registry.version("a"))?.attempts, await rig.registry.attemptIndex("a")],
      [1, 1],
    );
    assert.deepEqual(
      [(await rig.registry.version("b"))?.attempts, await rig.registry.attemptIndex("b")],
      [1, 2],
    );
    await climb("b", "STALE", "SCREENED", "SHADOWING");
    assert.deepEqual(
      [(await rig.registry.version("b"))?.attempts, await rig.registry.attemptIndex("b")],
      [2, 3],
    );
    await promote("a", "floor");
    assert.deepEqual(
      [(await rig.registry.version("b"))?.attempts, await rig.registry.attemptIndex("b")],
      [0, 0],
    );
    await climb("b", "SCREENED", "SHADOWING");
    assert.deepEqual(
      [(await rig.registry.version("b"))?.attempts, await rig.registry.attemptIndex("b")],
      [1, 1],
    );
  });

  test("only the arrows of the table are allowed, and those of the pointer only to promote and rollback", async () => {
    const reach: Partial<Record<VersionState, VersionState[]>> = {
      REGISTERED: [],
      SCREENED: ["SCREENED"],
      SHADOWING: ["SCREENED", "SHADOWING"],
      ELIGIBLE: ["SCREENED", "SHADOWING", "ELIGIBLE"],
      STALE: ["SCREENED", "SHADOWING", "STALE"],
      REJECTED: ["REJECTED"],
    };
    const allowed = new Set<string>();
    for (const [from, path] of Object.entries(reach) as [VersionState, VersionState[]][]) {
      for (const to of VERSION_STATES) {
        const version = `v-${from}-${to}`.toLowerCase();
        await register(version);
        await climb(version, ...path);
        const moved = await rig.registry.transition(version, [from], to, "why", "judge").then(
          () => true,
          (error) => {
            assert.equal(error.code, "CONFLICT");
            return false;
          },
        );
        assert.equal(await stateOf(version), moved ? to : from);
        if (moved) allowed.add(`${from}→${to}`);
      }
    }
    assert.deepEqual(Array.from(allowed).sort(), [
      "ELIGIBLE→REJECTED",
      "ELIGIBLE→STALE",
      "REGISTERED→REJECTED",
      "REGISTERED→SCREENED",
      "SCREENED→REJECTED",
      "SCREENED→SHADOWING",
      "SHADOWING→ELIGIBLE",
      "SHADOWING→REJECTED",
      "SHADOWING→RETIRED",
      "SHADOWING→STALE",
      "STALE→REJECTED",
      "STALE→SCREENED",
      "STALE→SHADOWING",
    ]);
    await promoteFloorThenRefuse();
  });

  async function promoteFloorThenRefuse(): Promise<void> {
    await register("floor", 1);
    await promote("floor", null);
    await assert.rejects(rig.registry.transition("floor", ["LIVE"], "QUARANTINED", "r", "x"), {
      code: "CONFLICT",
    });
  }

  test("a transition from a state that was not named is refused", async () => {
    await register("a");
    await assert.rejects(rig.registry.transition("a", ["SCREENED", "STALE"], "REJECTED", "r", "x"), {
      code: "CONFLICT",
      message: /expected it in SCREENED or STALE, got REGISTERED/,
    });
  });
});
