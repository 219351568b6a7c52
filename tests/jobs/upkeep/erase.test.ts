import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { shadow } from "../../../jobs/shadow/shadow.ts";
import { compact } from "../../../jobs/upkeep/compact.ts";
import { erase } from "../../../jobs/upkeep/erase.ts";
import { userData } from "../../../jobs/upkeep/user-data.ts";
import { itemId, userId } from "../../../models/data/ids.ts";
import { redisEventLog } from "../../../services/interactions/event-log.ts";
import { seenKey, takenKey } from "../../../services/interactions/keys.ts";
import { readSnapshot, writeImported } from "../../../services/interactions/snapshot.ts";
import { createProducers } from "../../../services/queues/producers.ts";
import { connectRedis } from "../../../services/redis.ts";
import type { Attempt } from "../../../services/shadow/types.ts";
import { patiently } from "../../support/patiently.ts";
import { type JobRig, startJobRig } from "../rig.ts";

/** An id that nothing else contains. */
const GONE = "zoë-7f3a9c";
const STAYS = "zoë-7f3a9c-other";
/** An attempt whose windows are open still. */
const INTERLEAVED = "c~b~1";

/** Every key and every value of a Redis, as bytes that can be searched. */
async function everythingIn(url: string): Promise<Map<string, string>> {
  const redis = new Redis(url);
  const found = new Map<string, string>();
  for (const key of await redis.keys("*")) {
    const type = await redis.type(key);
    const value: unknown =
      type === "list"
        ? await redis.lrange(key, 0, -1)
        : type === "hash"
          ? await redis.hgetall(key)
          : type === "set"
            ? await redis.smembers(key)
            : type === "zset"
              ? await redis.zrange(key, "0", "-1")
              : type === "stream"
                ? await redis.xrange(key, "-", "+")
                : await redis.get(key);
    found.set(key, JSON.stringify(value).replaceAll('\\"', '"'));
  }
  redis.disconnect();
  return found;
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Where the id stands as a whole: not as the beginning of another one. */
async function traces({ redis, folder }: JobRig): Promise<string[]> {
  const names = (text: string): boolean => text.replaceAll(STAYS, "").includes(GONE);
  const keys = [...(await everythingIn(redis.url))].filter(([key, text]) => names(key) || names(text));
  const files: string[] = [];
  for (const file of await filesUnder(folder)) {
    if (names((await readFile(file)).toString("utf8"))) files.push(file);
  }
  return [...keys.map(([key]) => key), ...files];
}

describe("erasing a user", () => {
  let rig: JobRig;
  before(async () => {
    rig = await startJobRig();
  });
  after(() => rig.stop());

  test("leaves none of the id's bytes in any store, and others as they were", async () => {
    const { context } = rig;
    const event = (user: string, item: string, serial: number) => ({
      eventId: `${user === GONE ? "gone" : "stays"}-${serial}-${encodeURIComponent(user)}`,
      userId: userId(user),
      itemId: itemId(item),
      type: "watch",
      timestamp: 1_700_000_000_000 + serial,
    });
    const imported = [{ itemId: itemId("i1"), timestamp: 1_600_000_000_000, weight: 1 }];
    await context.events.replaceImported(
      [GONE, STAYS].map((user) => ({ userId: userId(user), entries: imported })),
      "import",
    );
    await context.events.append(
      [GONE, STAYS].map((user, n) => event(user, "i2", n)),
      Date.now(),
    );
    await compact(context);
    const content = await readSnapshot(context.stores.snapshot);
    assert.ok(content !== null);
    assert.ok(content.log.users.has(userId(GONE)));
    await writeImported(content.log, content.catalogue, context.stores.snapshot);
    await context.events.append(
      [GONE, STAYS].map((user, n) => event(user, "i3", 10 + n)),
      Date.now(),
    );

    const facts = { version: "als-0123456789ab", phase: 3, recipe: "als" };
    const attempt = {
      id: "a~b~1",
      kind: "upgrade",
      challenger: facts,
      baseline: facts,
    } as unknown as Attempt;
    await context.shadowLog.open(attempt);
    const { panel } = context.shadowLog;
    for (const user of [GONE, STAYS]) {
      const held = (requestId: string) => ({
        requestId,
        historyThrough: 1,
        k: 10,
        lists: { [facts.version]: ["i1"] },
        heldAt: { live: null, recorded: null },
        parts: [{ comparison: attempt.id, answered: true, add: { asked: 1 }, latency: "1 1" }],
      });
      await panel.hold(user, [held(`r-${user.length}`), held(`s-${user.length}`)], [], [attempt.id]);
      const row = { userId: user, challenger: 1, baseline: 1, joined: 1, unanswered: 0, early: 0 };
      await panel.release(user, attempt.id, [`r-${user.length}`], {
        kind: "entered",
        row: JSON.stringify(row),
        shown: JSON.stringify({ userId: user }),
        mostShown: 10,
      });
      const list = {
        requestId: `r-${user.length}`,
        userId: user,
        historyThrough: 1,
        items: ["i1"],
        teams: "c",
      };
      await context.interleaving.remember(INTERLEAVED, list, 10);
      await context.interleaving.enter(attempt.id, [{ userId: user } as never]);
    }
    const producers = createProducers(context.config, () => {});
    const asked = { historyThrough: 0, k: 10, exclude: [], liveVersion: "v", served: [], at: 0 };
    const requests = [GONE, STAYS].map((user, n) => ({ ...asked, requestId: `q${n}`, userId: user }));
    const batch = { id: "one", span: { run: "r", from: 0, through: 2 }, requests, shed: 0 };
    await patiently(() => producers.addShadow(batch)).finally(() => producers.close());

    const data = await userData(context, GONE);
    assert.deepEqual([data.history.entries.length, data.events.length, data.snapshot.length], [3, 1, 1]);
    const { evidence } = data;
    assert.ok(Object.keys(evidence).length >= 5, Object.keys(evidence).join(", "));
    assert.equal(evidence.requests?.length, 1);
    assert.ok(!JSON.stringify(evidence).includes(STAYS));
    assert.ok((await traces(rig)).length >= 8, "the search finds what is there");

    const report = await erase(context, GONE);
    assert.deepEqual(await traces(rig), []);
    assert.equal(JSON.stringify(report).includes(GONE), false);
    assert.deepEqual([report.histories, report.events, report.requests, report.snapshotEvents], [1, 1, 1, 1]);
    assert.ok(report.evidence >= 5);

    assert.equal((await context.events.history(userId(STAYS))).entries.length, 3);
    assert.deepEqual(await panel.users(), [STAYS]);
    assert.equal((await context.shadowLog.users(attempt)).length, 1);
    const counts = await context.shadowLog.counts(attempt.id);
    assert.deepEqual([counts.asked, counts.released, counts.unheard], [4, 3, 2], "the sum still holds");
    assert.equal((await context.interleaving.lists(INTERLEAVED)).length, 1);
    const { log } = await context.loadTrainingData();
    assert.ok(log.users.has(userId(STAYS)) && !log.users.has(userId(GONE)));
    assert.equal((await erase(context, GONE)).snapshotEvents, 0);

    await context.shadowLog.open({ ...attempt, openedAt: 0 });
    const [goneAsked] = requests;
    const both = [goneAsked, { ...goneAsked, requestId: "q9", userId: "somebody else" }];
    const late = { span: { run: "late", from: 0, through: 2 }, requests: both, shed: 0 };
    const deps = { ...context, lanes: rig.lanes, limits: context.policy.shadow };
    assert.equal((await shadow(deps, late, "late")).asked, 1);
    assert.deepEqual(await traces(rig), [], "a replica still held a request of his");
  });

  test("removes what the user had seen before the kept history, and nobody else's", async () => {
    const redis = connectRedis(rig.context.config, "patient", () => {});
    try {
      const log = redisEventLog(redis, { longestHistory: 1 });
      const watched = (user: string, n: number) => ({
        eventId: `seen-${user === GONE ? "gone" : "stays"}-${n}`,
        userId: userId(user),
        itemId: itemId(`i${n}`),
        type: "watch",
      });
      for (const user of [GONE, STAYS]) {
        await log.append(
          [1, 2, 3].map((n) => watched(user, n)),
          Date.now(),
        );
      }
      const kept = () => redis.exists(seenKey(userId(GONE)), takenKey(userId(GONE)));
      assert.equal(await kept(), 2);
      await erase(rig.context, GONE);
      assert.equal(await kept(), 0);
      assert.deepEqual(await traces(rig), []);
      assert.ok((await log.history(userId(STAYS))).seen?.has(itemId("i1")));
    } finally {
      redis.disconnect();
    }
  });
});
