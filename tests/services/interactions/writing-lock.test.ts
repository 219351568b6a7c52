import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WRITING } from "../../../services/interactions/keys.ts";
import { whileWriting } from "../../../services/interactions/writing-lock.ts";
import { redisSuite } from "../../support/redis-suite.ts";

describe("those who write snapshots", () => {
  const suite = redisSuite();

  test("take turns: of several at once each begins when the one before has ended, also when that failed", async () => {
    let inside = 0;
    const order: number[] = [];
    const writer = (n: number) =>
      whileWriting(suite.redis, { what: `writer ${n}`, waitMs: 60_000 }, async () => {
        assert.equal(++inside, 1);
        await suite.redis.ping();
        order.push(n);
        inside--;
        if (n === 1) throw new Error("broken off");
      });
    const ended = await Promise.allSettled([1, 2, 3].map(writer));
    assert.deepEqual(
      ended.map(({ status }) => status),
      ["rejected", "fulfilled", "fulfilled"],
    );
    assert.deepEqual(order.toSorted(), [1, 2, 3]);
    assert.equal(await suite.redis.exists(WRITING), 0);
  });

  test("are told for whom they wait, and refused in words when that takes too long", async () => {
    const heard: string[] = [];
    await whileWriting(suite.redis, { what: "an import", waitMs: 0 }, async () => {
      await assert.rejects(
        whileWriting(
          suite.redis,
          { what: "a compaction", waitMs: 0, onWait: (holder) => heard.push(holder) },
          async () => assert.fail("it is not its turn"),
        ),
        /a compaction: expected nobody else to write the data, got an import \(process \d+ on .*\) at work; nothing was changed/,
      );
    });
    assert.match(heard.join(), /^an import \(process \d+ on .*\)$/);
  });

  test("lose their turn by dying, and never give back that of another", async () => {
    await suite.redis.set(WRITING, "a dead one x", "PX", 20);
    await whileWriting(suite.redis, { what: "an import", waitMs: 60_000 }, async () => {
      await suite.redis.set(WRITING, "another y");
    });
    assert.equal(await suite.redis.get(WRITING), "another y");
    await suite.redis.del(WRITING);
  });
});
