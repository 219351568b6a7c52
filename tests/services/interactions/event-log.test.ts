import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { itemId, userId } from "../../../models/data/ids.ts";
import { clockOf, RECORDED_KEPT } from "../../../services/interactions/event-clocks.ts";
import { redisEventLog } from "../../../services/interactions/event-log.ts";
import type { ImportedHistory } from "../../../services/interactions/imported-histories.ts";
import { eventKey } from "../../../services/interactions/keys.ts";
import type { SeenFilter } from "../../../services/interactions/seen-filter.ts";
import type { FeedbackEvent } from "../../../services/interactions/types.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const event = (eventId: string, user: string, item: string, timestamp?: number): FeedbackEvent => ({
  eventId,
  userId: userId(user),
  itemId: itemId(item),
  type: "watch",
  timestamp,
});

describe("event log", () => {
  const suite = redisSuite();
  beforeEach(() => suite.redis.flushall());
  /** Epoch milliseconds, rounded up. */
  const redisTime = async (): Promise<number> => Number((await suite.redis.time())[0]) * 1000 + 1000;

  test("appends to the stream and numbers each user's history in order of arrival", async () => {
    const log = redisEventLog(suite.redis);
    const late = { ...event("e3", "ann", "c", 10), rating: 4.5, requestId: "r1" };
    assert.deepEqual(await log.append([event("e1", "ann", "a", 30), event("e2", "bob", "a")], 99), {
      accepted: 2,
      duplicates: 0,
    });
    await log.append([late], 100);
    assert.deepEqual(await log.history(userId("ann")), {
      entries: [
        { sequence: 1, itemId: "a", timestamp: 30, weight: 1, requestId: null },
        { sequence: 2, itemId: "c", timestamp: 10, weight: 4.5, requestId: "r1" },
      ],
      seen: null,
      through: 2,
    });
    const stream = await log.read("0", 10);
    assert.deepEqual(
      stream.map((entry) => entry.event),
      [event("e1", "ann", "a", 30), event("e2", "bob", "a", 99), late].map((sent) =>
        JSON.parse(JSON.stringify(sent)),
      ),
    );
    assert.equal((await log.clocks()).recorded, 99);
    assert.equal(await log.length(), 3);
  });

  test("what a user saw before the history that is kept is still known as seen; mere exposure is no history", async () => {
    const log = redisEventLog(suite.redis, { longestHistory: 2 });
    const shown = { ...event("e0", "ann", "z", 1), type: "impression", weight: 0 };
    const disliked = { ...event("e3", "ann", "c", 4), type: "dislike", weight: -1 };
    await log.append([shown, event("e1", "ann", "a", 2), event("e2", "ann", "b", 3), disliked], 9);
    await log.append([event("e4", "ann", "d", 5), event("e5", "ann", "e", 6), event("e6", "bob", "a", 6)], 9);
    const { entries, seen, through } = await log.history(userId("ann"));
    const known = (filter: SeenFilter | null | undefined) =>
      ["a", "b", "c", "d", "e", "z"].map(itemId).filter((item) => filter?.has(item));
    assert.deepEqual(
      [entries.map((entry) => entry.itemId), known(seen), through],
      [["d", "e"], ["a", "b", "c"], 5],
    );
    assert.equal(await log.length(), 7);
    const both = await log.histories([userId("bob"), userId("ann")]);
    assert.deepEqual(known(both.get(userId("ann"))?.seen), ["a", "b", "c"]);
    assert.equal(both.get(userId("bob"))?.seen, null);
  });

  test("a user without events has an empty history, alone or among others", async () => {
    const log = redisEventLog(suite.redis);
    await log.append([event("e1", "ann", "a", 1)], 1);
    assert.deepEqual(await log.history(userId("eve")), { entries: [], seen: null, through: 0 });
    const both = await log.histories([userId("eve"), userId("ann")]);
    assert.equal(both.get(userId("eve"))?.through, 0);
    assert.equal(both.get(userId("ann"))?.entries[0].itemId, "a");
    assert.equal((await log.histories([])).size, 0);
  });

  test("a repeated event is acknowledged without a second effect, within a batch and across batches", async () => {
    const log = redisEventLog(suite.redis);
    const repeated = event("e1", "ann", "a");
    assert.deepEqual(await log.append([repeated, repeated], 1), { accepted: 1, duplicates: 1 });
    assert.deepEqual(await log.append([repeated, event("e2", "ann", "b")], 2), {
      accepted: 1,
      duplicates: 1,
    });
    assert.equal((await log.history(userId("ann"))).through, 2);
    assert.equal(await log.length(), 2);
  });

  test("an id reused for another body refuses the whole batch and names the id", async () => {
    const log = redisEventLog(suite.redis);
    await log.append([event("e1", "ann", "a", 1)], 1);
    for (const batch of [
      [event("e2", "bob", "b", 2), event("e1", "ann", "OTHER", 1)],
      [event("e2", "bob", "b", 2), event("e2", "bob", "OTHER", 2)],
    ]) {
      await assert.rejects(log.append(batch, 5), {
        code: "EVENT_ID_REUSED",
        details: { eventId: batch[1].eventId },
      });
    }
    assert.equal(await log.length(), 1);
    assert.equal((await log.history(userId("bob"))).through, 0);
    assert.equal((await log.clocks()).recorded, 1);
  });

  test("an id is forgotten after the window", async () => {
    const log = redisEventLog(suite.redis, { windowMs: 40 });
    await log.append([event("e1", "ann", "a", 1)], 1);
    while ((await suite.redis.exists(eventKey("e1"))) === 1) await suite.redis.ping();
    assert.deepEqual(await log.append([event("e1", "ann", "OTHER", 1)], 1), { accepted: 1, duplicates: 0 });
  });

  test("a history keeps the latest entries and goes on counting", async () => {
    const log = redisEventLog(suite.redis, { longestHistory: 3 });
    for (let n = 1; n <= 5; n++) await log.append([event(`e${n}`, "ann", `i${n}`, n)], n);
    const { entries, through } = await log.history(userId("ann"));
    assert.deepEqual(
      entries.map((entry) => entry.sequence),
      [3, 4, 5],
    );
    assert.equal(through, 5);
  });

  test("the clock of recorded events is the latest of their times, whatever the order of arrival", async () => {
    const log = redisEventLog(suite.redis);
    assert.deepEqual(await log.clocks(), { live: null, liveSince: null, recorded: null });
    await log.append([event("e1", "ann", "a", 1_700_000_000_123)], 1);
    await log.append([event("e2", "ann", "b", 1_600_000_000_000)], 1);
    assert.equal((await log.clocks()).recorded, 1_700_000_000_123);
    assert.equal((await log.clocks()).live, null);
  });

  test("another replay, which begins earlier, turns the clock of recorded events back", async () => {
    const log = redisEventLog(suite.redis);
    const replayFrom = async (at: number, name: string): Promise<void> => {
      const events = Array.from({ length: RECORDED_KEPT }, (_, n) =>
        event(`${name}${n}`, "ann", `i${n}`, at + n),
      );
      for (let from = 0; from < events.length; from += 250)
        await log.append(events.slice(from, from + 250), 0);
    };
    await replayFrom(1_600_000_000_000, "late");
    await replayFrom(1_400_000_000_000, "early");
    assert.equal((await log.clocks()).recorded, 1_400_000_000_000 + RECORDED_KEPT - 1);
  });

  test("a live event ahead of Redis' own clock counts as of now; no recorded one is touched by it", async () => {
    const log = redisEventLog(suite.redis);
    await log.append([event("old", "ann", "a", 1_600_000_000_000)], 1);
    const before = (await redisTime()) - 1000;
    await log.append([event("fast", "bob", "b", before + 3_600_000)], 1);
    const { live, liveSince, recorded } = await log.clocks();
    assert.equal(recorded, 1_600_000_000_000);
    assert.ok(live !== null && live >= before && live <= (await redisTime()));
    assert.equal(liveSince, live);
    assert.equal(clockOf(await log.clocks(), 1_600_000_000_000), 1_600_000_000_000);
    assert.equal(clockOf(await log.clocks(), live), live);
  });

  test("reads on from an id and trims through an id", async () => {
    const log = redisEventLog(suite.redis);
    for (let n = 1; n <= 5; n++) await log.append([event(`e${n}`, "ann", `i${n}`, n)], n);
    const [first, second] = await log.read("0", 2);
    const rest = await log.read(second.id, 10);
    assert.deepEqual(
      [first, second, ...rest].map((entry) => entry.event.eventId),
      ["e1", "e2", "e3", "e4", "e5"],
    );
    assert.equal(await log.trim(second.id), 2);
    assert.deepEqual(await log.read("0", 10), rest);
  });
});

describe("seeding", () => {
  const suite = redisSuite();
  beforeEach(() => suite.redis.flushall());

  /** 5,000 entries of 7 users: more than two scripts. */
  function* past(through = 5_000): Generator<ImportedHistory> {
    for (let user = 0; user < 7; user++) {
      const own = Array.from({ length: through }, (_, n) => n).filter((n) => n % 7 === user);
      yield {
        userId: userId(`u${user}`),
        entries: own.map((n) => ({ itemId: itemId(`i${n}`), timestamp: n, weight: 1 })),
      };
    }
  }

  async function assertWhole(): Promise<void> {
    const log = redisEventLog(suite.redis);
    for (let user = 0; user < 7; user++) {
      const { entries } = await log.history(userId(`u${user}`));
      const expected = Array.from({ length: 5_000 }, (_, n) => n).filter((n) => n % 7 === user);
      assert.deepEqual(
        entries.map(({ itemId: item, sequence }) => [item, sequence]),
        expected.map((n, position) => [`i${n}`, position + 1]),
      );
    }
    assert.equal((await log.clocks()).recorded, 4_999);
    assert.equal(await log.length(), 0);
  }

  test("fills the histories once for an import, and not the stream", async () => {
    const log = redisEventLog(suite.redis);
    assert.equal(await log.replaceImported(past(), "abc"), 5_000);
    assert.equal(await log.replaceImported(past(), "abc"), 0);
    await assertWhole();
  });

  test("does again what broke off, and ends the same", async () => {
    const log = redisEventLog(suite.redis);
    function* broken(): Generator<ImportedHistory> {
      yield* past(2_997);
      throw new Error("killed");
    }
    await assert.rejects(log.replaceImported(broken(), "abc"), /killed/);
    assert.equal(await log.replaceImported(past(), "abc"), 5_000);
    await assertWhole();
  });

  test("of several at once each entry lands once", async () => {
    const logs = [redisEventLog(suite.redis), redisEventLog(suite.redis), redisEventLog(suite.redis)];
    await Promise.all(logs.map((log) => log.replaceImported(past(), "abc")));
    await assertWhole();
  });

  test("keeps the latest entries of a long history, and which items were before them", async () => {
    const log = redisEventLog(suite.redis, { longestHistory: 10 });
    await log.replaceImported(past(), "abc");
    const { entries, seen, through } = await log.history(userId("u0"));
    assert.deepEqual([entries.length, through], [10, 715]);
    const all = [...past()].flatMap(({ userId: user, entries: mine }) => (user === "u0" ? [...mine] : []));
    const dropped = new Set(all.slice(0, 705).map((entry) => entry.itemId));
    for (const item of dropped) assert.ok(seen?.has(item), item);
    assert.equal(seen?.has(itemId("never seen")), false);
  });

  test("the next import replaces what the one before said, and what users did live stays", async () => {
    const log = redisEventLog(suite.redis);
    const imported = (user: string, ...items: string[]): ImportedHistory => ({
      userId: userId(user),
      entries: items.map((item, n) => ({ itemId: itemId(item), timestamp: 100 + n, weight: 4 })),
    });
    await log.replaceImported([imported("ann", "a", "b"), imported("bob", "a")], "monday");
    await log.append([event("e1", "ann", "live", 200), event("e2", "ann", "c,]", 102)], 300);
    await log.replaceImported([imported("ann", "a", "x", "c,]"), imported("bob")], "tuesday");
    const { entries } = await log.history(userId("ann"));
    assert.deepEqual(
      entries.map(({ itemId: item, sequence }) => [item, sequence]),
      [
        ["a", 1],
        ["x", 2],
        ["c,]", 3],
        ["live", 4],
      ],
    );
    assert.deepEqual((await log.history(userId("bob"))).entries, []);
  });
});
