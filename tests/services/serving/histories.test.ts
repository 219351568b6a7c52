import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { itemId, type UserId, userId } from "../../../models/data/ids.ts";
import { redisEventLog } from "../../../services/interactions/event-log.ts";
import type { EventLog, FeedbackEvent } from "../../../services/interactions/types.ts";
import { connectRedis } from "../../../services/redis.ts";
import { FollowedHistories } from "../../../services/serving/followed-histories.ts";
import { Histories } from "../../../services/serving/histories.ts";
import { eventually } from "../../support/eventually.ts";
import { redisSuite } from "../../support/redis-suite.ts";

describe("histories", () => {
  const suite = redisSuite("fail-fast");
  let events: EventLog;
  let writer: Redis;
  const anna = userId("anna");
  const now = 1000;
  let serial = 0;

  const watched = (user: UserId, film: string): FeedbackEvent => ({
    eventId: `e${serial++}`,
    userId: user,
    itemId: itemId(film),
    type: "watch",
    timestamp: 500 + serial,
  });
  const make = (options = {}): Histories => new Histories(events, options);
  const filmsOf = async (histories: Histories, user: UserId): Promise<string[]> =>
    (await histories.of(user)).interactions.map((interaction) => interaction.itemId);

  before(async () => {
    await eventually(() => suite.redis.status === "ready");
    events = redisEventLog(suite.redis);
    // Who writes waits for Redis on a busy machine; who reads does not.
    writer = connectRedis({ redisUrl: suite.server.url }, "patient", () => {});
    const { append, forget, replaceImported } = redisEventLog(writer);
    events = { ...events, append, forget, replaceImported };
  });
  after(() => writer.disconnect());
  beforeEach(async () => {
    await writer.flushall();
  });

  it("reads what is stored, and says an unknown user has an empty history", async () => {
    await events.append([watched(anna, "f1"), watched(anna, "f2")], now);
    const histories = make();
    const known = await histories.of(anna);
    assert.equal(known.origin, "stored");
    assert.equal(known.through, 2);
    assert.deepEqual(
      known.interactions.map((interaction) => interaction.itemId),
      ["f1", "f2"],
    );
    assert.equal((await histories.of(userId("nobody"))).origin, "empty");
  });

  it("answers from memory while the store is stuck, without waiting again after the first time", async () => {
    await events.append([watched(anna, "f1")], now);
    let reads = 0;
    const counting = {
      history: (user: UserId) => {
        reads++;
        return events.history(user);
      },
    };
    const histories = new Histories(counting, { probeEveryMs: 600_000 });
    await histories.of(anna);
    suite.server.pause();
    try {
      const first = await histories.of(anna);
      assert.equal(first.origin, "remembered");
      assert.equal(first.through, null);
      assert.deepEqual(
        first.interactions.map((interaction) => interaction.itemId),
        ["f1"],
      );
      assert.equal((await histories.of(userId("stranger"))).origin, "unavailable");
      assert.equal(reads, 2, "no read of the store while it is known to be stuck");
      assert.equal(histories.answering, false);
    } finally {
      suite.server.resume();
    }
  });

  it("notices that the store is back, though nobody asks", async () => {
    await events.append([watched(anna, "f1")], now);
    const histories = make();
    suite.server.pause();
    try {
      assert.equal((await histories.of(anna)).origin, "unavailable");
    } finally {
      suite.server.resume();
    }
    await eventually(() => histories.answering, "the store is asked again");
    assert.equal((await histories.of(anna)).origin, "stored");
  });

  it("keeps what it remembers fresh with the feedback this replica accepted", async () => {
    await events.append([watched(anna, "f1")], now);
    const histories = make();
    await histories.of(anna);
    const more = [watched(anna, "f7")];
    await events.append(more, now);
    histories.accepted(more, now);
    suite.server.pause();
    try {
      assert.deepEqual(await filmsOf(histories, anna), ["f1", "f7"]);
    } finally {
      suite.server.resume();
    }
  });

  it("forgets the least recently used user past its bound", async () => {
    const bela = userId("bela");
    await events.append([watched(anna, "f1"), watched(bela, "f2")], now);
    const histories = make({ maxRemembered: 9 });
    await histories.of(anna);
    await histories.of(bela);
    suite.server.pause();
    try {
      assert.equal((await histories.of(anna)).origin, "unavailable");
      assert.equal((await histories.of(bela)).origin, "remembered");
    } finally {
      suite.server.resume();
    }
  });

  describe("that are followed", () => {
    const counted = () => {
      let reads = 0;
      const counting = {
        history: (user: UserId) => {
          reads++;
          return events.history(user);
        },
      };
      const histories = new Histories(counting, { budgetMs: 60_000 });
      const followed = new FollowedHistories(suite.redis, histories, assert.ifError);
      return { histories, followed, reads: () => reads };
    };

    it("are read once, and again after a change, whoever made it", async () => {
      const bela = userId("bela");
      await events.append([watched(anna, "f1"), watched(bela, "f9")], now);
      const { histories, followed, reads } = counted();
      await followed.look();
      const read = await histories.of(anna);
      assert.equal(histories.of(anna), read);
      await filmsOf(histories, bela);
      assert.equal(reads(), 2);

      // Another replica accepts an event.
      await events.append([watched(anna, "f2")], now);
      await followed.look();
      assert.deepEqual(await filmsOf(histories, anna), ["f1", "f2"]);
      assert.deepEqual(await filmsOf(histories, bela), ["f9"]);
      assert.equal(reads(), 3);

      // This one does, which needs no look.
      const own = [watched(anna, "f3")];
      await events.append(own, now);
      histories.accepted(own, now);
      assert.deepEqual(await filmsOf(histories, anna), ["f1", "f2", "f3"]);

      await events.forget(anna, now);
      await followed.look();
      assert.equal((await histories.of(anna)).origin, "empty");
      await events.replaceImported([{ userId: bela, entries: [] }], "an import", () => {});
      await followed.look();
      assert.deepEqual(await filmsOf(histories, bela), ["f9"]);
      assert.equal(reads(), 6);
    });

    it("are read again once nobody has looked for a second, and when the store lost what it had said", async () => {
      await events.append([watched(anna, "f1")], now);
      const { histories, followed, reads } = counted();
      histories.confirm(performance.now() - 1000);
      await histories.of(anna);
      await histories.of(anna);
      assert.equal(reads(), 2, "nobody has looked");
      await followed.look();
      await histories.of(anna);
      await histories.of(anna);
      assert.equal(reads(), 3);
      await writer.flushall();
      await followed.look();
      assert.equal((await histories.of(anna)).origin, "empty");
    });

    it("are not remembered as they were before a change that came while they were read", async () => {
      await events.append([watched(anna, "f1")], now);
      let answer = (_: Awaited<ReturnType<EventLog["history"]>>): void => {};
      let reads = 0;
      const slow = {
        history: (user: UserId) =>
          reads++ > 0
            ? events.history(user)
            : new Promise<Awaited<ReturnType<EventLog["history"]>>>((resolve) => {
                answer = resolve;
              }),
      };
      const histories = new Histories(slow, { budgetMs: 60_000 });
      const followed = new FollowedHistories(suite.redis, histories, assert.ifError);
      await followed.look();
      const before = await events.history(anna);
      const early = histories.of(anna);
      const more = [watched(anna, "f2")];
      await events.append(more, now);
      histories.accepted(more, now);
      assert.deepEqual(
        await filmsOf(histories, anna),
        ["f1", "f2"],
        "who asks after the change does not wait for it",
      );
      answer(before);
      assert.equal((await early).interactions.length, 1);
      assert.deepEqual(await filmsOf(histories, anna), ["f1", "f2"]);
    });
  });
});
