import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { markOf, type NewRequest, type Part } from "../../../services/shadow/panel.ts";
import { redisShadowLog } from "../../../services/shadow/redis-shadow-log.ts";
import type { ShadowLog } from "../../../services/shadow/types.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const [ONE, OTHER] = ["c~b~1", "d~b~1"];
const OPEN = [ONE, OTHER];
const part = (comparison: string, answered = true): Part => ({
  comparison,
  answered,
  add: { asked: 1, ...(answered ? {} : { baselineFailed: 1 }), overlap: 0.1 },
  latency: "1.5 -",
  memoryMb: 7.25,
});
const request = (requestId: string, parts: readonly Part[]): NewRequest => ({
  requestId,
  historyThrough: 3,
  k: 10,
  lists: { b: ["i1", "i2"], c: ["i2"], d: null },
  heldAt: { live: 5, recorded: null },
  parts,
});

describe("the panel", () => {
  const suite = redisSuite();
  let log: ShadowLog;
  beforeEach(async () => {
    await suite.redis.flushall();
    log = redisShadowLog(suite.redis, 2);
  });
  const held = async (user: string) => (await log.panel.held([user]))[0];
  const both = [part(ONE), part(OTHER)];

  it("holds a request once for all comparisons, and counts it once however often it is sent", async () => {
    await log.panel.hold("ann", [request("r1", both)], [], OPEN);
    await log.panel.hold("ann", [request("r1", both), request("r2", [part(ONE, false)])], [], OPEN);
    const rows = await held("ann");
    assert.deepEqual(rows.map(({ requestId }) => requestId).sort(), ["r1", "r2"]);
    const { marks, ...whole } = rows.filter(({ requestId }) => requestId === "r1")[0];
    const { parts: _, ...sent } = request("r1", both);
    assert.deepEqual(whole, sent);
    assert.deepEqual(
      [...marks],
      OPEN.map((id) => [markOf(id), true]),
    );
    const counts = await log.counts(ONE);
    assert.deepEqual(counts, { asked: 2, baselineFailed: 1, overlap: 0.2, memoryMb: 7.25 });
    assert.equal((await log.counts(OTHER)).asked, 1);
  });

  it("drops what gave way, in the counts of each comparison that held it", async () => {
    await log.panel.hold("ann", [request("r1", both), request("r2", [part(ONE)])], [], OPEN);
    await log.panel.hold("ann", [], ["r1", "r2"], OPEN);
    assert.deepEqual(await held("ann"), []);
    assert.deepEqual([(await log.counts(ONE)).replaced, (await log.counts(OTHER)).replaced], [2, 1]);
  });

  it("keeps the latest latencies only", async () => {
    for (const id of ["r1", "r2", "r3"]) await log.panel.hold("ann", [request(id, [part(ONE)])], [], OPEN);
    const kept = { challenger: 1.5, baseline: null };
    assert.deepEqual(await log.latencies(ONE), [kept, kept]);
  });

  it("lets a request go when no comparison holds it any more, and the user with the last one", async () => {
    await log.panel.hold("ann", [request("r1", both)], [], OPEN);
    const row = { userId: "ann", joined: 1 };
    const entered = { kind: "entered", row: JSON.stringify(row), shown: "{}", mostShown: 1 } as const;
    await log.panel.release("ann", ONE, ["r1"], entered);
    assert.deepEqual(
      (await held("ann")).map(({ marks }) => [...marks.keys()]),
      [[markOf(OTHER)]],
    );
    assert.deepEqual(await log.panel.users(), ["ann"]);
    await log.panel.release("ann", OTHER, ["r1"], { kind: "early" });
    assert.deepEqual([await held("ann"), await log.panel.users()], [[], []]);
    assert.deepEqual(await log.users({ id: ONE, kind: "UPGRADE" }), [row]);
    assert.deepEqual(await log.hasEntered(ONE, ["ann", "bob"]), [true, false]);
    assert.deepEqual([(await log.counts(ONE)).released, (await log.counts(OTHER)).early], [1, 1]);
  });

  it("releases twice as once, and counts what comes after a user's row as unheard", async () => {
    await log.panel.hold("ann", [request("r1", both)], [], OPEN);
    const entered = { kind: "entered", row: "{}", shown: null, mostShown: 1 } as const;
    for (let twice = 0; twice < 2; twice++) await log.panel.release("ann", ONE, ["r1"], entered);
    await log.panel.hold("ann", [request("r2", [part(ONE)])], [], OPEN);
    await log.panel.release("ann", ONE, ["r2"], entered);
    const { asked, released, unheard } = await log.counts(ONE);
    assert.deepEqual([asked, released, unheard], [2, 2, 1]);
    assert.equal((await log.users({ id: ONE, kind: "UPGRADE" })).length, 1);
  });

  it("looks at who is new, then when either clock has come so far", async () => {
    await log.panel.hold("ann", [request("r1", both)], [], OPEN);
    assert.deepEqual(await log.panel.due({ live: null, recorded: null }, 10), ["ann"]);
    await log.panel.lookAgain("ann", { live: 100, recorded: 200 });
    await log.panel.lookAgain("nobody", { live: 0, recorded: 0 });
    assert.deepEqual(await log.panel.due({ live: 99, recorded: 99 }, 10), []);
    assert.deepEqual(await log.panel.due({ live: 100, recorded: null }, 10), ["ann"]);
    assert.deepEqual(await log.panel.due({ live: null, recorded: 200 }, 10), ["ann"]);
    await log.panel.hold("ann", [request("r2", both)], [], OPEN);
    assert.deepEqual(
      await log.panel.due({ live: 99, recorded: 99 }, 10),
      [],
      "another request changes nothing",
    );
  });
});
