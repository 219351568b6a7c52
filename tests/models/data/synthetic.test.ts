import assert from "node:assert/strict";
import { test } from "node:test";
import type { InteractionLog } from "../../../models/data/interaction-log.ts";
import { syntheticData } from "../../../models/data/synthetic.ts";

const { log, catalogue } = syntheticData({ seed: 7 });

/** Chance that a user's next item, given the last one, is the one most often seen after it. */
function followingRate(data: InteractionLog, shuffled: boolean): number {
  const last = new Int32Array(data.users.size).fill(-1);
  const pairs = new Map<number, Map<number, number>>();
  let total = 0;
  data.userIndex.forEach((user, event) => {
    const source = shuffled ? (event * 7919) % data.itemIndex.length : event;
    const item = data.itemIndex[source];
    if (last[user] >= 0) {
      const after = pairs.get(last[user]) ?? new Map<number, number>();
      after.set(item, (after.get(item) ?? 0) + 1);
      pairs.set(last[user], after);
      total++;
    }
    last[user] = item;
  });
  let best = 0;
  for (const after of pairs.values()) best += Math.max(...after.values());
  return best / total;
}

test("the default is the size of a small real service, in time order, every item named", () => {
  assert.equal(log.timestamps.length, 80_000);
  assert.equal(log.users.size, 600);
  assert.ok(log.items.size > 1_800, `${log.items.size} items used`);
  assert.equal(catalogue.size, 2_000);
  assert.ok(log.timestamps.every((time, event) => event === 0 || time >= log.timestamps[event - 1]));
  for (const item of log.items.ids) {
    const info = catalogue.get(item);
    assert.ok(info !== undefined && info.genres.length > 0 && info.title.endsWith(`(${info.year})`));
  }
});

test("the same seed gives the same data and another seed other data", () => {
  assert.deepEqual(syntheticData({ seed: 7 }).log, log);
  assert.notDeepEqual(syntheticData({ seed: 8 }).log.itemIndex, log.itemIndex);
});

test("nobody meets an item twice", () => {
  const pairs = new Set(log.userIndex.map((user, event) => user * 2_000 + log.itemIndex[event]));
  assert.equal(pairs.size, log.userIndex.length);
});

test("users arrive over the years and popularity drifts", () => {
  const third = Math.floor(log.timestamps.length / 3);
  const early = new Set(log.userIndex.subarray(0, third));
  const newcomers = new Set(log.userIndex.subarray(2 * third).filter((user) => !early.has(user)));
  assert.ok(newcomers.size > 150, `${newcomers.size} users of the last third are new`);
  const top = (from: number, to: number): Set<number> => {
    const counts = new Uint32Array(log.items.size);
    for (const item of log.itemIndex.subarray(from, to)) counts[item]++;
    return new Set([...counts.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, 50));
  };
  const late = top(2 * third, 3 * third);
  const kept = [...top(0, third)].filter((item) => late.has(item)).length;
  assert.ok(kept < 30, `${kept} of the 50 most popular stay so`);
});

test("tastes and series are there to be learnt", () => {
  assert.ok(followingRate(log, false) > 2 * followingRate(log, true));
});

test("sizes that cannot be made are refused", () => {
  assert.throws(
    () => syntheticData({ seed: 1, users: 10, items: 30, events: 1_000 }),
    /between 1 and 10 events a user/,
  );
});
