import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { seededRandom } from "../../models/data/random.ts";
import { connectRedis } from "../../services/redis.ts";
import { type RedisRegistry, redisRegistry } from "../../services/registry/registry.ts";
import { manifestOf } from "../support/manifest.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { assertWhole } from "../support/whole-registry.ts";

/** PHASEWISE_FAULT_ROUNDS=200 for the long run. */
const ROUNDS = Number(process.env.PHASEWISE_FAULT_ROUNDS ?? 6);
/** A round dies at the n-th step that its child reports; n up to this many. */
const MOST_STEPS = 12;
const PROMOTER = new URL("../support/promoter.js", import.meta.url);

describe(`F6: killed while promoting, ${ROUNDS} times`, () => {
  let server: PrivateRedis;
  let redis: Redis;
  let registry: RedisRegistry;
  // Flushed at every write: with everysec a Redis killed behind a slow disk may forget its last two seconds.
  before(async () => {
    server = await startRedis(["--appendfsync", "always"]);
    redis = connectRedis({ redisUrl: server.url }, "patient", () => {});
    registry = redisRegistry(redis);
    await registry.register(manifestOf("floor", 1), "m", "test");
    await registry.promote({ version: "floor", expectedLive: null, reason: "first", actor: "test" });
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  test("a promoter killed at any step leaves the pointer wholly old or wholly new", async () => {
    const random = seededRandom(6);
    let known = await assertWhole(registry);
    for (let round = 0; round < ROUNDS; round++) {
      const child = fork(PROMOTER, [server.url, `r${round}`]);
      const exited = once(child, "exit");
      const killAt = 1 + random.integer(MOST_STEPS);
      let steps = 0;
      let promoted = 0;
      child.on("message", (step) => {
        if (step === "promoted") promoted++;
        if (++steps === killAt) child.kill("SIGKILL");
      });
      assert.deepEqual(await exited, [null, "SIGKILL"]);
      const epoch = await assertWhole(registry);
      assert.ok(epoch >= known + promoted, `round ${round}: a promotion it was told of is gone`);
      known = epoch;
    }
  });

  test("Redis killed while a process promotes comes back whole, with every acknowledged promotion", async () => {
    for (let round = 0; round < Math.min(ROUNDS, 20); round++) {
      const known = await assertWhole(registry);
      const child = fork(PROMOTER, [server.url, `s${round}`]);
      const exited = once(child, "exit");
      let promoted = 0;
      await new Promise<void>((resolve) => {
        child.on("message", (step) => {
          if (step === "promoted" && ++promoted === 1 + round) resolve();
        });
      });
      await server.kill();
      child.kill("SIGKILL");
      await exited;
      await server.restart();
      const epoch = await assertWhole(registry);
      assert.ok(epoch >= known + promoted, `round ${round}: an acknowledged promotion is gone`);
    }
  });
});
