import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { TRANSITIONS } from "../../../models/gate/states.ts";
import type { Phase } from "../../../models/recipe.ts";
import { connectRedis } from "../../../services/redis.ts";
import { type RedisRegistry, redisRegistry } from "../../../services/registry/registry.ts";
import type { LivePointer, VersionState } from "../../../services/registry/types.ts";
import { manifestOf } from "../../support/manifest.ts";
import { type PrivateRedis, startRedis } from "../../support/redis.ts";

const HOUR_MS = 3_600_000;

describe("registry", () => {
  let server: PrivateRedis;
  let redis: Redis;
  let registry: RedisRegistry;
  let clock = Date.UTC(2026, 0, 1);
  before(async () => {
    server = await startRedis();
    redis = connectRedis(server.url, "patient", () => {});
  });
  beforeEach(async () => {
    await redis.flushall();
    registry = redisRegistry(redis, { now: () => clock });
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  const register = (version: string, phase: Phase = 2) =>
    registry.register(manifestOf(version, phase), "m".repeat(64), "trainer");
  const climb = async (version: string, ...states: VersionState[]) => {
    for (const state of states) {
      const current = (await registry.version(version))?.state as VersionState;
      await registry.transition(version, [current], state, "as the test asks", "judge");
    }
  };
  const eligible = async (version: string) => {
    await register(version);
    await climb(version, "SCREENED", "SHADOWING", "ELIGIBLE");
  };
  const promote = (version: string, expectedLive: string | null, force = false) =>
    registry.promote({ version, expectedLive, reason: "it is better", actor: "judge", force });
  const rollback = (expectedLive?: string, automatic = false) =>
    registry.rollback({ expectedLive, reason: "it fails", actor: "watch", automatic });
  const stateOf = async (version: string) => (await registry.version(version))?.state;
  /** floor → A → B, with B live and A previous. */
  const climbTwice = async () => {
    await register("floor", 1);
    await promote("floor", null);
    await eligible("a");
    await promote("a", "floor");
    await eligible("b");
    await promote("b", "a");
  };

  test("nothing is live, registered or audited at first", async () => {
    assert.equal(await registry.live(), null);
    assert.deepEqual(await registry.versions(), []);
    assert.equal(await registry.version("a"), null);
    assert.deepEqual(await registry.audit(), []);
    assert.equal(await registry.verifyAudit(), null);
  });

  test("registering again changes nothing; other arrays under the same version are refused", async () => {
    const first = await register("a");
    assert.equal(first.state, "REGISTERED");
    assert.equal(first.attempts, 0);
    clock += HOUR_MS;
    assert.deepEqual(await register("a"), first);
    assert.equal((await registry.audit()).length, 1);
    const other = { ...manifestOf("a"), sha256: "f".repeat(64) };
    await assert.rejects(registry.register(other, "x", "trainer"), { code: "CONFLICT" });
  });

  test("the first phase-1 version goes live without a trial and becomes the floor", async () => {
    await register("floor", 1);
    assert.deepEqual(await promote("floor", null), {
      version: "floor",
      epoch: 1,
      liveEpoch: 1,
      previous: null,
      floor: "floor",
      since: new Date(clock).toISOString(),
      canary: null,
    });
    assert.deepEqual(await registry.live(), await registry.live());
    assert.equal(await stateOf("floor"), "LIVE");
  });

  test("the first version ever promoted must be of phase 1, forced or not", async () => {
    await register("a", 2);
    await assert.rejects(promote("a", null), { code: "NOT_PROMOTABLE" });
    await assert.rejects(promote("a", null, true), { code: "NOT_PROMOTABLE" });
  });

  test("a promotion retires the previous version and keeps the old live one to return to", async () => {
    await climbTwice();
    const live = await registry.live();
    assert.deepEqual([live?.version, live?.previous, live?.floor, live?.epoch], ["b", "a", "floor", 3]);
    assert.deepEqual(
      (await registry.versions()).map(({ version, state }) => [version, state]),
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
    assert.equal((await registry.audit()).at(-1)?.action, "force-promote");
  });

  test("an unknown version is not found", async () => {
    await assert.rejects(promote("ghost", null), { code: "NOT_FOUND" });
    await assert.rejects(registry.transition("ghost", ["REGISTERED"], "SCREENED", "r", "a"), {
      code: "NOT_FOUND",
    });
  });

  test("a wrong expected version or epoch is refused with the present pointer", async () => {
    await climbTwice();
    const live = await registry.live();
    await assert.rejects(promote("a", "floor", true), { code: "LIVE_VERSION_CHANGED", details: { live } });
    const stale = { version: "a", expectedLive: "b", expectedEpoch: 2, reason: "r", actor: "x", force: true };
    await assert.rejects(registry.promote(stale), { code: "LIVE_VERSION_CHANGED", details: { live } });
  });

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
    assert.deepEqual([(await registry.version("a"))?.attempts, await registry.attemptIndex("a")], [1, 1]);
    assert.deepEqual([(await registry.version("b"))?.attempts, await registry.attemptIndex("b")], [1, 2]);
    await climb("b", "STALE", "SCREENED", "SHADOWING");
    assert.deepEqual([(await registry.version("b"))?.attempts, await registry.attemptIndex("b")], [2, 3]);
    await promote("a", "floor");
    assert.deepEqual([(await registry.version("b"))?.attempts, await registry.attemptIndex("b")], [0, 0]);
    await climb("b", "SCREENED", "SHADOWING");
    assert.deepEqual([(await registry.version("b"))?.attempts, await registry.attemptIndex("b")], [1, 1]);
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
      for (const to of Object.keys(TRANSITIONS) as VersionState[]) {
        const version = `v-${from}-${to}`.toLowerCase();
        await register(version);
        await climb(version, ...path);
        const moved = await registry.transition(version, [from], to, "why", "judge").then(
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
      "SHADOWING→STALE",
      "STALE→REJECTED",
      "STALE→SCREENED",
    ]);
    await promoteFloorThenRefuse();
  });

  async function promoteFloorThenRefuse(): Promise<void> {
    await register("floor", 1);
    await promote("floor", null);
    await assert.rejects(registry.transition("floor", ["LIVE"], "QUARANTINED", "r", "x"), {
      code: "CONFLICT",
    });
  }

  test("a transition from a state that was not named is refused", async () => {
    await register("a");
    await assert.rejects(registry.transition("a", ["SCREENED", "STALE"], "REJECTED", "r", "x"), {
      code: "CONFLICT",
      message: /expected it in SCREENED or STALE, got REGISTERED/,
    });
  });

  test("two automatic rollbacks in 24 hours go to the floor and freeze promotions until an operator lifts it", async () => {
    await climbTwice();
    await rollback("b", true);
    assert.equal(await registry.freeze(), null);
    await eligible("c");
    await promote("c", "a");
    clock += 23 * HOUR_MS;
    assert.equal((await rollback("c", true)).live.version, "floor");
    assert.equal(await stateOf("a"), "RETIRED");
    assert.match((await registry.freeze())?.reason ?? "", /2 automatic rollbacks/);
    await eligible("d");
    await assert.rejects(promote("d", "floor"), {
      code: "NOT_PROMOTABLE",
      message: /frozen .+ lift the freeze/,
    });
    await assert.rejects(promote("d", "floor", true), { code: "NOT_PROMOTABLE" });
    assert.equal(await registry.unfreeze("bad data feed, repaired", "operator"), true);
    assert.equal(await registry.unfreeze("again", "operator"), false);
    assert.equal((await promote("d", "floor")).version, "d");
    assert.deepEqual(
      (await registry.audit()).map(({ action }) => action).filter((action) => /freeze|rollback/.test(action)),
      ["auto-rollback", "auto-rollback", "freeze", "unfreeze"],
    );
  });

  test("as many automatic rollbacks in 24 hours freeze as the policy says", async () => {
    registry = redisRegistry(redis, { now: () => clock, automaticPerDay: 3 });
    await climbTwice();
    await rollback("b", true);
    for (const version of ["c", "d"]) {
      assert.equal(await registry.freeze(), null);
      await eligible(version);
      await promote(version, "a");
      clock += HOUR_MS;
      await rollback(version, true);
    }
    assert.equal((await registry.live())?.version, "floor");
    assert.match((await registry.freeze())?.reason ?? "", /3 automatic rollbacks/);
  });

  test("automatic rollbacks more than 24 hours apart do not freeze, nor do an operator's", async () => {
    await climbTwice();
    await rollback("b", true);
    await eligible("c");
    await promote("c", "a");
    clock += 24 * HOUR_MS;
    assert.equal((await rollback("c", true)).live.version, "a");
    assert.equal(await registry.freeze(), null);
    await eligible("d");
    await promote("d", "a");
    assert.equal((await rollback("d")).live.version, "a");
    assert.equal(await registry.freeze(), null);
  });

  test("the audit is a chain in which any change of a stored entry shows at its sequence", async () => {
    await climbTwice();
    await rollback("b");
    const audit = await registry.audit();
    assert.deepEqual(
      audit.map(({ sequence }) => sequence),
      audit.map((_, position) => position + 1),
    );
    assert.deepEqual(await registry.audit(2), audit.slice(-2));
    assert.equal(await registry.verifyAudit(), null);
    const key = "{phasewise}:registry:audit";
    for (const { sequence } of audit) {
      const line = (await redis.lindex(key, sequence - 1)) as string;
      await redis.lset(key, sequence - 1, line.replace(/"actor":"\w+"/, '"actor":"mallory"'));
      assert.equal(await registry.verifyAudit(), sequence);
      await redis.lset(key, sequence - 1, line);
    }
    await redis.rpop(key);
    assert.equal(await registry.verifyAudit(), audit.length);
  });

  test("says what was live when", async () => {
    await register("floor", 1);
    const times = [clock, clock + HOUR_MS, clock + 2 * HOUR_MS].map((at) => new Date(at).toISOString());
    await promote("floor", null);
    clock += HOUR_MS;
    await eligible("a");
    await promote("a", "floor");
    clock += HOUR_MS;
    await rollback("a");
    assert.deepEqual(
      (await registry.liveHistory()).map(({ version, since, until, action }) => [
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

  test("a watcher hears the present pointer and then every change", async () => {
    await register("floor", 1);
    await promote("floor", null);
    const heard: LivePointer[] = [];
    let wake: () => void = () => {};
    const watch = await registry.watchLive((live) => {
      heard.push(live);
      wake();
    });
    assert.equal(heard[0].version, "floor");
    await eligible("a");
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const live = await promote("a", "floor");
    await changed;
    assert.deepEqual(heard.at(-1), live);
    await watch.close();
  });

  test("a watcher that is deaf to messages finds the change by its poll", async () => {
    await register("floor", 1);
    await promote("floor", null);
    const deaf = redisRegistry(redis, { pollMs: 5 });
    let changed: (live: LivePointer) => void = () => {};
    const watch = await deaf.watchLive((live) => changed(live));
    const heard = new Promise<LivePointer>((resolve) => {
      changed = resolve;
    });
    await redis.hset("{phasewise}:registry:live", "version", "moved-without-a-message", "epoch", "2");
    assert.equal((await heard).version, "moved-without-a-message");
    await watch.close();
  });
});
