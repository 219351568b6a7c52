import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { redisShadowLog } from "../../../services/shadow/redis-shadow-log.ts";
import type { JudgedUser, LaneAnswer, ShadowLog, ShadowPair, Watch } from "../../../services/shadow/types.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const older = { version: "older", phase: 1, recipe: "popularity" } as const;
const newer = { version: "newer", phase: 2, recipe: "item-knn" } as const;
const WATCH: Watch = {
  id: "older~newer~watch-2",
  kind: "watch",
  epoch: 2,
  challenger: newer,
  baseline: older,
  variance: 1,
  policySha256: "p",
  openedAt: 0,
  startedAt: "2026-01-01T00:00:00.000Z",
};
/** As homes of every age keep it: there the baseline is who serves. */
const STORED_WATCH = { ...WATCH, challenger: older, baseline: newer };

const answer = (item: string): LaneAnswer => ({
  items: [item],
  elapsedMs: 1,
  fault: null,
  broken: [],
  repeated: null,
});
const PAIR: ShadowPair = {
  requestId: "r1",
  userId: "ann",
  historyThrough: 3,
  k: 10,
  challenger: answer("by the newer"),
  baseline: answer("by the older"),
  shamIdentical: true,
};
const USER: JudgedUser = {
  userId: "ann",
  firstAt: 1,
  closedAt: 2,
  challenger: 0.1,
  baseline: 0.4,
  joined: 1,
  unanswered: 0,
  early: 0,
  historyLength: 3,
  events: 1,
  listDriven: 0,
};
const swapped = <T extends { challenger: unknown; baseline: unknown }>(value: T): T => ({
  ...value,
  challenger: value.baseline,
  baseline: value.challenger,
});

describe("the shadow log", () => {
  const suite = redisSuite();
  let shadowLog: ShadowLog;
  const key = (part: string): string => `shadow:${part}`;
  beforeEach(async () => {
    await suite.redis.flushall();
    shadowLog = redisShadowLog(suite.redis);
  });

  it("reads a watch that an earlier version opened, with the newer version as the challenger", async () => {
    await suite.redis.hset(key("attempts"), WATCH.id, JSON.stringify(STORED_WATCH));
    await suite.redis.sadd(key("open"), WATCH.id);
    await suite.redis.rpush(key(`${WATCH.id}:pairs`), JSON.stringify(swapped(PAIR)));
    await suite.redis.rpush(key(`${WATCH.id}:users`), JSON.stringify(swapped(USER)));
    assert.deepEqual(await shadowLog.openWatches(), [WATCH]);
    assert.deepEqual(await shadowLog.pairs(WATCH), [PAIR]);
    assert.deepEqual(await shadowLog.users(WATCH), [USER]);
  });

  it("writes a watch as an earlier version reads it", async () => {
    await shadowLog.open(WATCH);
    await shadowLog.record(WATCH, [PAIR]);
    await shadowLog.enter(WATCH, [USER]);
    const stored = await suite.redis.hget(key("attempts"), WATCH.id);
    assert.deepEqual(JSON.parse(stored ?? ""), STORED_WATCH);
    const [pair] = await suite.redis.lrange(key(`${WATCH.id}:pairs`), 0, -1);
    assert.deepEqual(JSON.parse(pair), swapped(PAIR));
    const [user] = await suite.redis.lrange(key(`${WATCH.id}:users`), 0, -1);
    assert.deepEqual(JSON.parse(user), swapped(USER));
  });

  it("leaves the roles of an attempt as they are", async () => {
    const attempt = { id: "newer~older~1", kind: "UPGRADE" } as const;
    await shadowLog.record(attempt, [PAIR]);
    const [pair] = await suite.redis.lrange(key(`${attempt.id}:pairs`), 0, -1);
    assert.deepEqual(JSON.parse(pair), PAIR);
    assert.deepEqual(await shadowLog.pairs(attempt), [PAIR]);
  });
});
