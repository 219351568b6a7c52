import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { itemId, userId } from "../../models/data/ids.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { FILTER_BYTES } from "../../services/interactions/seen-filter.ts";
import type { FeedbackEvent } from "../../services/interactions/types.ts";
import { Histories } from "../../services/serving/histories.ts";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";
import { redisSuite } from "../support/redis-suite.ts";

const heavy = userId("heavy");

function watched(n: number, item = `i${n}`): FeedbackEvent {
  return { eventId: `e${n}`, userId: heavy, itemId: itemId(item), type: "watch", timestamp: n };
}

describe("a user with 20,000 events", () => {
  const suite = redisSuite();
  const EVENTS = 20_000;

  it("is remembered whole, in bounded memory, and costs the same to add to", async () => {
    const log = redisEventLog(suite.redis, { eventsPerUserAndDay: 2 * EVENTS });
    const histories = new Histories(log, { budgetMs: 60_000 });
    const add = async (from: number, count: number): Promise<void> => {
      const events = Array.from({ length: count }, (_, n) => watched(from + n));
      await log.append(events, 1);
      histories.accepted(events, 1);
    };
    /** Commands that Redis ran for one event. */
    const commandsFor = async (n: number): Promise<number> => {
      const ran = async (): Promise<number> => {
        const counts = (await suite.redis.info("commandstats")).matchAll(/calls=(\d+)/g);
        return [...counts].reduce((sum, [, calls]) => sum + Number(calls), 0);
      };
      const before = await ran();
      await add(n, 1);
      return (await ran()) - before;
    };
    await add(0, 500);
    await histories.of(heavy);
    for (let from = 500; from < 2_500; from += 500) await add(from, 500);
    const early = await commandsFor(2_500);
    for (let from = 2_501; from < EVENTS; from += 500) await add(from, 500);
    assert.equal(await commandsFor(EVENTS + 1_000), early);
    const { entries, seen } = await log.history(heavy);
    assert.equal(entries.length, 2_000);
    const kept = new Set(entries.map((entry) => entry.itemId));
    for (let n = 0; n < EVENTS; n++) {
      const item = itemId(`i${n}`);
      assert.ok(kept.has(item) || seen?.has(item), item);
    }
    const others = Array.from({ length: 10_000 }, (_, n) => itemId(`other-${n}`));
    assert.ok(others.filter((item) => seen?.has(item)).length < 10, "hardly anything else is held back");
    assert.ok((await suite.redis.strlen("seen:heavy")) <= FILTER_BYTES);
  });

  it("is held to so many events a day: the batch is refused whole, others are not concerned", async () => {
    await suite.redis.flushall();
    const log = redisEventLog(suite.redis, { eventsPerUserAndDay: 10 });
    await log.append(
      Array.from({ length: 8 }, (_, n) => watched(n)),
      1,
    );
    const refused = log.append([watched(8), watched(9), watched(10)], 1);
    await assert.rejects(refused, {
      code: "RATE_LIMITED",
      statusCode: 429,
      message: /10 events of one user/,
    });
    assert.equal(await log.length(), 8);
    assert.deepEqual(await log.append([watched(0), watched(8), watched(9)], 1), {
      accepted: 2,
      duplicates: 1,
    });
    await log.append([{ ...watched(11), userId: userId("other") }], 1);
    const ttl = await suite.redis.ttl("taken:heavy");
    assert.ok(ttl > 0 && ttl <= 86_400);
  });
});

describe("a user who has seen more than a history holds", () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig();
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  it("never gets back what he saw first, and is told when he sends too much", async () => {
    const send = (from: number, itemOf: (n: number) => string) =>
      rig
        .http()
        .post("/feedback")
        .set(BEARER)
        .send({
          events: Array.from({ length: 500 }, (_, n) => ({
            eventId: `h${from + n}`,
            userId: "heavy",
            itemId: itemOf(from + n),
            type: "watch",
          })),
        });
    const itemOf = (n: number) => (n === 0 ? "f1" : `x${n}`);
    for (let from = 0; from < 5000; from += 500) {
      // Where a busy machine lets the deadline of Redis pass, the same batch again is safe.
      await eventually(async () => (await send(from, itemOf)).status === 202, `events from ${from}`);
    }
    const list = async (): Promise<string[]> => {
      const { body } = await rig.http().get("/recommend?userId=heavy&k=20").set(BEARER).expect(200);
      return body.history === "stored" ? body.items.map((item: { itemId: string }) => item.itemId) : [];
    };
    await eventually(async () => (await list()).length > 0, "a list from the stored history");
    assert.ok(!(await list()).includes("f1"));
    await eventually(async () => {
      const { status, body, headers } = await send(5000, itemOf);
      return status === 429 && body.error.code === "RATE_LIMITED" && Number(headers["retry-after"]) > 0;
    }, "told to wait");
  });
});
