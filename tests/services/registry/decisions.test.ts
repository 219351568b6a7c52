import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { GENESIS_SHA256, sealed } from "../../../models/hash-chain.ts";
import type { DecisionRecord } from "../../../services/registry/decision-summary.ts";
import { redisDecisionLog } from "../../../services/registry/decisions.ts";
import { redisSuite } from "../../support/redis-suite.ts";

interface Verdict extends DecisionRecord {
  readonly lift: number;
}

const EVIDENCE = "x".repeat(10_000);

const built =
  (challenger: string, lift: number, about = "shadow") =>
  (previousSha256: string): Verdict => {
    const record = sealed({
      challenger,
      lift,
      hearing: { about, evidence: EVIDENCE },
      policy: { alpha: 0.05 },
      previousSha256,
    });
    return { id: `d-${record.sha256.slice(0, 16)}`, ...record };
  };

describe("decision log", () => {
  const suite = redisSuite();
  beforeEach(() => suite.redis.flushall());

  test("appends to one chain, lists the newest first, by challenger too, and finds by id", async () => {
    const log = redisDecisionLog<Verdict>(suite.redis);
    assert.deepEqual(await log.list(), []);
    assert.equal(await log.verify(), null);
    const a = await log.append(built("a", 0.1));
    const b = await log.append(built("b", 0.2));
    const again = await log.append(built("a", 0.3));
    assert.equal(a.previousSha256, GENESIS_SHA256);
    assert.equal(b.previousSha256, a.sha256);
    assert.deepEqual(await log.list(), [again, b, a]);
    assert.deepEqual(await log.list({ limit: 2 }), [again, b]);
    assert.deepEqual(await log.list({ limit: 0 }), []);
    assert.deepEqual(await log.list({ challenger: "a" }), [again, a]);
    assert.deepEqual(await log.list({ challenger: "nobody" }), []);
    assert.deepEqual(await log.get(b.id), b);
    assert.equal(await log.get("d-nothing"), null);
    assert.deepEqual(await Promise.all([again.id, a.id, "d-nothing"].map(log.position)), [3, 1, null]);
    assert.equal(await log.verify(), null);
  });

  test("summarises without the evidence, and knows the last word on each climb", async () => {
    const log = redisDecisionLog<Verdict>(suite.redis);
    const screened = await log.append(built("a", 0.1, "screen"));
    const shadowed = await log.append(built("a", 0.2));
    await log.append(built("a", 0.3, "watch"));
    await log.append(built("live", 0.4, "fleet"));
    const { hearing: _, ...rest } = screened;
    const summaries = await log.summaries();
    assert.deepEqual(
      summaries.map(({ about, lift }) => [about, lift]),
      [
        ["fleet", 0.4],
        ["watch", 0.3],
        ["shadow", 0.2],
        ["screen", 0.1],
      ],
    );
    const { policy: __, ...summary } = { ...rest, about: "screen" } as Record<string, unknown>;
    assert.deepEqual(summaries[3], summary);
    assert.ok(JSON.stringify(summaries).length < 3000);
    assert.equal((await log.summaries({ challenger: "a", limit: 1 }))[0].about, "watch");
    const climbs = await log.lastOnClimb(["a", "live", "nobody"]);
    assert.deepEqual([...climbs.keys()], ["a"]);
    assert.equal(climbs.get("a")?.id, shadowed.id);
    assert.deepEqual(await log.lastOnClimb([]), new Map());
  });

  test("judges at the same time build one chain with every record once", async () => {
    const records = await Promise.all(
      Array.from({ length: 12 }, (_, n) => redisDecisionLog<Verdict>(suite.redis).append(built(`c${n}`, n))),
    );
    const log = redisDecisionLog<Verdict>(suite.redis);
    assert.equal(await log.verify(), null);
    const listed = (await log.list()).map(({ id }) => id).sort();
    assert.deepEqual(listed, records.map(({ id }) => id).sort());
  });

  test("a record that is not sealed over its content or follows another is refused", async () => {
    const log = redisDecisionLog<Verdict>(suite.redis);
    await assert.rejects(
      log.append((previous) => ({ ...built("a", 0.1)(previous), lift: 0.9 })),
      /expected it to follow/,
    );
    await assert.rejects(
      log.append(() => built("a", 0.1)("f".repeat(64))),
      /expected it to follow/,
    );
    assert.deepEqual(await log.list(), []);
  });

  test("an altered, swapped, removed or wrongly summarised record is named", async () => {
    const log = redisDecisionLog<Verdict>(suite.redis);
    const records: Verdict[] = [];
    for (let n = 0; n < 120; n++) records.push(await log.append(built("a", n)));
    const [bodies, order] = ["decisions:records", "decisions:order"];
    for (const position of [0, 49, 50, 119]) {
      const { id } = records[position];
      await suite.redis.hset(bodies, id, JSON.stringify({ ...records[position], lift: 999 }));
      assert.equal(await log.verify(), id);
      await suite.redis.hdel(bodies, id);
      assert.equal(await log.verify(), id);
      await suite.redis.hset(bodies, id, JSON.stringify(records[position]));
    }
    assert.equal(await log.verify(), null);
    const { id: second } = records[1];
    const summaries = "decisions:summaries";
    const summary = (await suite.redis.hget(summaries, second)) as string;
    await suite.redis.hset(summaries, second, summary.replace('"lift":1', '"lift":2'));
    assert.equal(await log.verify(), second);
    await suite.redis.hset(summaries, second, summary);
    const last = await suite.redis.rpop(order);
    assert.equal(await log.verify(), `the record with SHA-256 ${records[119].sha256}`);
    await suite.redis.rpush(order, last as string);
    await suite.redis.lset(order, 3, records[4].id);
    assert.equal(await log.verify(), records[4].id);
  });
});
