import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { redisRegistry } from "../../../services/registry/registry.ts";
import type { LivePointer } from "../../../services/registry/types.ts";
import { registryRig } from "./rig.ts";

describe("watching the live pointer", () => {
  const rig = registryRig();
  const { register, eligible, promote } = rig;

  test("a watcher hears the present pointer and then every change", async () => {
    await register("floor", 1);
    await promote("floor", null);
    const heard: LivePointer[] = [];
    let wake: () => void = () => {};
    const watch = await rig.registry.watchLive((live) => {
      if (live !== null) heard.push(live);
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
    const deaf = redisRegistry(rig.redis, { pollMs: 5 });
    let changed: (live: LivePointer) => void = () => {};
    const watch = await deaf.watchLive((live) => live !== null && changed(live));
    const heard = new Promise<LivePointer>((resolve) => {
      changed = resolve;
    });
    await rig.redis.hset("registry:live", "version", "moved-without-a-message", "epoch", "2");
    assert.equal((await heard).version, "moved-without-a-message");
    await watch.close();
  });
});
