import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { manifestOf } from "../support/manifest.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";

const PROMOTERS = 20;
/** PHASEWISE_FAULT_ROUNDS=200 for the long run. */
const ROUNDS = Number(process.env.PHASEWISE_FAULT_ROUNDS ?? 10);

describe(`F7: ${PROMOTERS} promoters at once, ${ROUNDS} rounds`, () => {
  let server: PrivateRedis;
  let clients: Redis[];
  before(async () => {
    server = await startRedis();
    clients = Array.from({ length: PROMOTERS }, () =>
      connectRedis({ redisUrl: server.url }, "patient", () => {}),
    );
  });
  after(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  test("each round has one winner, every loser learns who it is, and the audit holds every move", async () => {
    const registries = clients.map((client) => redisRegistry(client));
    const [registry] = registries;
    await registry.register(manifestOf("floor", 1), "m", "test");
    await registry.promote({ version: "floor", expectedLive: null, reason: "first", actor: "test" });
    // Three sets in turn, since what is live or previous cannot be promoted. Half of a round's promoters ask for the same
    // version in the same words: still only one of them has moved the pointer.
    const sets = ["first", "second", "third"].map((set) =>
      registries.map((_, n) => `${set}-${n < PROMOTERS / 2 ? "same" : n}`),
    );
    for (const version of new Set(sets.flat())) await registry.register(manifestOf(version), "m", "test");
    let live = "floor";
    for (let round = 0; round < ROUNDS; round++) {
      const versions = sets[round % 3];
      const results = await Promise.allSettled(
        registries.map((promoter, n) =>
          promoter.promote({
            version: versions[n],
            expectedLive: live,
            reason: "a race",
            actor: "judge",
            force: true,
          }),
        ),
      );
      const winners = results.filter((result) => result.status === "fulfilled");
      assert.equal(winners.length, 1, `round ${round}`);
      const { version, epoch } = winners[0].value;
      assert.equal(epoch, round + 2);
      for (const result of results) {
        if (result.status === "fulfilled") continue;
        assert.equal(result.reason.code, "LIVE_VERSION_CHANGED");
        assert.equal(result.reason.details.live.version, version);
      }
      live = version;
    }
    assert.equal((await registry.live())?.version, live);
    assert.equal((await registry.versions()).filter(({ state }) => state === "LIVE").length, 1);
    assert.equal(await registry.verifyAudit(), null);
    assert.equal((await registry.liveHistory()).length, ROUNDS + 1);
  });
});
