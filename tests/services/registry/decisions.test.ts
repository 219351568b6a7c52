import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { connectRedis } from "../../../services/redis.ts";
import { type DecisionRecord, redisDecisionLog } from "../../../services/registry/decisions.ts";
import { GENESIS_SHA256, sealed } from "../../../services/registry/hash-chain.ts";
import { type PrivateRedis, startRedis } from "../../support/redis.ts";

interface Verdict extends DecisionRecord {
  readonly lift: number;
}

const built =
  (challenger: string, lift: number) =>
  (previousSha256: string): Verdict => {
    const record = sealed({ challenger, lift, previousSha256 });
    return { id: `d-${record.sha256.slice(0, 16)}`, ...record };
  };

describe("decision log", () => {
  let server: PrivateRedis;
  let redis: Redis;
  before(async () => {
    server = await startRedis();
    redis = connectRedis(server.url, "patient", () => {});
  });
  beforeEach(() => redis.flushall());
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  test("appends to one chain, lists the newest first, by challenger too, and finds by id", async () => {
    const log = redisDecisionLog<Verdict>(redis);
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
    assert.equal(await log.verify(), null);
  });

  test("judges at the same time build one chain with every record once", async () => {
    const records = await Promise.all(
      Array.from({ length: 12 }, (_, n) => redisDecisionLog<Verdict>(redis).append(built(`c${n}`, n))),
    );
    const log = redisDecisionLog<Verdict>(redis);
    assert.equal(await log.verify(), null);
    const listed = (await log.list()).map(({ id }) => id).sort();
    assert.deepEqual(listed, records.map(({ id }) => id).sort());
  });

  test("a record that is not sealed over its content or follows another is refused", async () => {
    const log = redisDecisionLog<Verdict>(redis);
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

  test("an altered, swapped or removed record is named", async () => {
    const log = redisDecisionLog<Verdict>(redis);
    const records: Verdict[] = [];
    for (let n = 0; n < 120; n++) records.push(await log.append(built("a", n)));
    const [bodies, order] = ["{phasewise}:decisions:records", "{phasewise}:decisions:order"];
    for (const position of [0, 49, 50, 119]) {
      const { id } = records[position];
      await redis.hset(bodies, id, JSON.stringify({ ...records[position], lift: 999 }));
      assert.equal(await log.verify(), id);
      await redis.hdel(bodies, id);
      assert.equal(await log.verify(), id);
      await redis.hset(bodies, id, JSON.stringify(records[position]));
    }
    assert.equal(await log.verify(), null);
    const last = await redis.rpop(order);
    assert.equal(await log.verify(), `the record with SHA-256 ${records[119].sha256}`);
    await redis.rpush(order, last as string);
    await redis.lset(order, 3, records[4].id);
    assert.equal(await log.verify(), records[4].id);
  });
});
