import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { redisShadowLog, rowOf } from "../../../services/shadow/redis-shadow-log.ts";
import type {
  ComparisonRef,
  JudgedUser,
  LaneAnswer,
  ShadowLog,
  ShadowPair,
  Watch,
} from "../../../services/shadow/types.ts";
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
    assert.deepEqual(await shadowLog.former.pairs(WATCH), [PAIR]);
    assert.deepEqual(await shadowLog.users(WATCH), [USER]);
  });

  it("writes a watch as an earlier version reads it", async () => {
    await shadowLog.open(WATCH);
    await enter(WATCH, USER);
    const stored = await suite.redis.hget(key("attempts"), WATCH.id);
    assert.deepEqual(JSON.parse(stored ?? ""), STORED_WATCH);
    const [user] = await suite.redis.lrange(key(`${WATCH.id}:users`), 0, -1);
    assert.deepEqual(JSON.parse(user), swapped(USER));
  });

  it("leaves the roles of an attempt as they are", async () => {
    const attempt = { id: "newer~older~1", kind: "UPGRADE" } as const;
    await enter(attempt, USER);
    const [user] = await suite.redis.lrange(key(`${attempt.id}:users`), 0, -1);
    assert.deepEqual(JSON.parse(user), USER);
  });

  it("lets a user in once, and reads what was added only, until a row is taken out", async () => {
    const names = ["ann", "bob", "cyd"];
    for (const userId of names) await enter(WATCH, { ...USER, userId });
    const first = await shadowLog.users(WATCH);
    await enter(WATCH, { ...USER, userId: "ann", challenger: 1 });
    assert.equal(await shadowLog.users(WATCH), first, "the very same rows");
    await enter(WATCH, { ...USER, userId: "dee" });
    assert.deepEqual(namesOf(await shadowLog.users(WATCH)), [...names, "dee"]);
    const users = key(`${WATCH.id}:users`);
    const [row] = await suite.redis.lrange(users, 1, 1);
    await suite.redis.lrem(users, 0, row);
    await enter(WATCH, { ...USER, userId: "eve" });
    assert.deepEqual(namesOf(await shadowLog.users(WATCH)), ["ann", "cyd", "dee", "eve"]);
  });

  it("puts counts in the place of former pairs once", async () => {
    await suite.redis.rpush(key(`${WATCH.id}:pairs`), JSON.stringify(PAIR));
    const by = { counts: { asked: 3, overlap: 0.25, memoryMb: 7 }, latencies: ["1 -"], shown: ["{}"] };
    await shadowLog.former.replace(WATCH.id, by);
    await shadowLog.former.replace(WATCH.id, by);
    assert.deepEqual(await shadowLog.counts(WATCH.id), by.counts);
    assert.deepEqual(await shadowLog.latencies(WATCH.id), [{ challenger: 1, baseline: null }]);
    assert.deepEqual(await shadowLog.former.pairs(WATCH), []);
  });

  const enter = (comparison: ComparisonRef, user: JudgedUser) =>
    shadowLog.panel.release(user.userId, comparison.id, [], {
      kind: "entered",
      row: rowOf(comparison, user),
      shown: null,
      mostShown: 0,
    });
});

function namesOf(users: readonly JudgedUser[]): string[] {
  return users.map(({ userId }) => userId);
}
