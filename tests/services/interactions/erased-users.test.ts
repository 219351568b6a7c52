import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { itemId, type UserId, userId } from "../../../models/data/ids.ts";
import { redisEventLog } from "../../../services/interactions/event-log.ts";
import type { UserHistory } from "../../../services/interactions/types.ts";
import { FollowedErasures } from "../../../services/serving/followed-erasures.ts";
import { Histories } from "../../../services/serving/histories.ts";
import { Visitors } from "../../../services/serving/visitors.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const ANN = userId("ann");
const BOB = userId("bob");

describe("an erased user", () => {
  const suite = redisSuite();
  beforeEach(() => suite.redis.flushall());

  const event = (eventId: string, user: UserId, timestamp: number) => ({
    eventId,
    userId: user,
    itemId: itemId("i1"),
    type: "watch",
    timestamp,
  });
  const lengthOf = async (user: UserId): Promise<number> =>
    (await redisEventLog(suite.redis).history(user)).entries.length;

  test("is not brought back by what comes late; what he does afterwards is a new history", async () => {
    const log = redisEventLog(suite.redis);
    const early = event("e1", ANN, 1000);
    await log.append([early], 5000);
    await log.forget(ANN, 2000);
    assert.deepEqual(await log.append([early], 5000), { accepted: 0, duplicates: 1 });
    const late = [event("e2", ANN, 1500), event("e3", BOB, 1500), event("e4", ANN, 2000)];
    assert.deepEqual(await log.append(late, 5000), { accepted: 1, duplicates: 0, erased: 2 });
    assert.deepEqual([await lengthOf(ANN), await lengthOf(BOB)], [0, 1]);
    assert.deepEqual(await log.append([event("e5", ANN, 2001)], 5000), { accepted: 1, duplicates: 0 });
    assert.equal(await lengthOf(ANN), 1);
  });

  test("is remembered by a digest and the moment alone", async () => {
    await redisEventLog(suite.redis).forget(ANN, 2000);
    for (const key of await suite.redis.keys("*")) assert.doesNotMatch(key, /ann/);
    assert.doesNotMatch(JSON.stringify(await suite.redis.hgetall("erased")), /ann/);
    assert.deepEqual([...(await redisEventLog(suite.redis).erased([ANN, BOB]))], [[ANN, 2000]]);
  });

  test("leaves the memory of every replica, whoever erased him, and again when he is erased again", async () => {
    const log = redisEventLog(suite.redis);
    const away = (): Promise<UserHistory> => Promise.reject(new Error("away"));
    const replica = () => {
      let read: (user: UserId) => Promise<UserHistory> = (user) => log.history(user);
      const histories = new Histories({ history: (user) => read(user) });
      const visitors = new Visitors();
      const fail = (error: unknown) => assert.fail(String(error));
      const erasures = new FollowedErasures(suite.redis, [histories, visitors], fail);
      const originWithoutRedis = async (user: UserId) => {
        read = away;
        const { origin } = await histories.of(user);
        read = (known) => log.history(known);
        return origin;
      };
      return { histories, visitors, erasures, originWithoutRedis };
    };
    const other = replica();
    for (const [round, at] of [2000, 3000].entries()) {
      await log.append([event(`a${round}`, ANN, 2500 + 1000 * round), event(`b${round}`, BOB, 1)], 5000);
      await other.histories.of(ANN);
      await other.histories.of(BOB);
      other.visitors.add([event("v", ANN, 1)], 1);
      await other.erasures.look();
      assert.equal(other.visitors.historyOf(ANN).length, 1);
      await log.forget(ANN, at + 1000);
      await other.erasures.look();
      assert.equal(other.visitors.historyOf(ANN).length, 0);
      assert.deepEqual([...other.histories.users()], [BOB]);
    }
    assert.deepEqual(
      [await other.originWithoutRedis(ANN), await other.originWithoutRedis(BOB)],
      ["unavailable", "remembered"],
    );
    other.histories.close();
  });
});
