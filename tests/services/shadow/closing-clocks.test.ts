import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosingClocks } from "../../../services/shadow/closing-clocks.ts";

test("windows close by the clocks of a moment whose requests were all asked again", async () => {
  const closing = new ClosingClocks();
  let now = 0;
  const read = async (atMs: number, recorded: number, oldestBatch: number | null) => {
    now = atMs;
    const clocks = { live: null, recorded, liveSince: null };
    const reached = await closing.read({
      clocks: async () => clocks,
      oldestBatch: async () => oldestBatch,
      now: () => now,
    });
    return reached.recorded;
  };
  assert.equal(await read(0, 100, 0), null, "nobody knows yet what waits since when");
  assert.equal(await read(1_000, 200, 500), null);
  assert.equal(await read(4_000, 300, 1_900), null, "sent later, but perhaps asked before the first look");
  assert.equal(await read(5_000, 400, 2_100), 100, "all of before the first look is worked off");
  assert.equal(await read(9_000, 500, 6_900), 100);
  assert.equal(await read(10_000, 600, 7_100), 400, "and all of before the fourth");
  assert.equal(await read(11_000, 700, null), 700, "nothing waits");
  assert.equal(await read(12_000, 800, 11_500), 700);
});
