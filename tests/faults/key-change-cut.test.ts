import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { type KeyStore, redisKeyStore } from "../../services/keys/key-store.ts";
import type { KeyOrder } from "../../services/keys/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { eventually } from "../support/eventually.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { startWire, type Wire } from "../support/wire.ts";

const ORDER: KeyOrder = {
  name: "shop",
  kind: "secret",
  scopes: ["serve"],
  origins: [],
  requestsPerMinute: 1000,
};
/** More messages than any change exchanges with Redis: beyond the last one it goes through. */
const MOST_MESSAGES = 12;

describe("the connection to Redis dies at any message of a change of a key", () => {
  let server: PrivateRedis;
  let wire: Wire;
  let direct: Redis;

  before(async () => {
    server = await startRedis();
    wire = await startWire(server.port);
    direct = connectRedis({ redisUrl: server.url }, "patient", () => {});
  });
  after(async () => {
    direct.disconnect();
    await wire.close();
    await server.stop();
  });

  /** Every message from the `dies`-th on is lost, or from the one after it. Resolves to whether the change said it was made. */
  const cutAt = async (dies: number, passes: boolean, change: (store: KeyStore) => Promise<unknown>) => {
    const redis = connectRedis({ redisUrl: wire.url }, "bounded", () => {});
    await eventually(() => redis.status === "ready", "connected");
    const store = redisKeyStore(redis);
    let seen = 0;
    wire.onMessage = () => ++seen < dies || (seen === dies && passes);
    const acknowledged = await change(store).then(
      () => true,
      () => false,
    );
    redis.disconnect();
    wire.cut();
    wire.onMessage = () => true;
    return acknowledged;
  };
  const entriesOf = async (id: string): Promise<string[]> =>
    (await redisRegistry(direct).audit())
      .filter(({ reason }) => reason.includes(id))
      .map(({ action }) => action);

  it("both the key and its audit entry are there, or neither", async (t) => {
    const stored = redisKeyStore(direct);
    const outcomes = { made: 0, not: 0 };
    for (let dies = 1; dies <= MOST_MESSAGES; dies++) {
      for (const passes of [false, true]) {
        const where = `message ${dies} ${passes ? "sent" : "lost"}`;
        const before = new Set((await stored.all()).map(({ id }) => id));
        const { view } = await stored.create(ORDER, "tests", 0);
        const acknowledged = {
          create: await cutAt(dies, passes, (store) => store.create(ORDER, "tests", 1)),
          rotate: await cutAt(dies, passes, (store) => store.rotate(view.id, 60, "tests", 2)),
          revoke: await cutAt(dies, passes, (store) => store.revoke(view.id, "tests", 3)),
        };
        const all = await stored.all();
        const record = all.find(({ id }) => id === view.id);
        const made = all.filter(({ id }) => !before.has(id) && id !== view.id);
        const rotated = record?.rotatedAt !== null;
        const revoked = record?.revokedAt !== null;
        assert.deepEqual(
          await entriesOf(view.id),
          ["key-create", ...(rotated ? ["key-rotate"] : []), ...(revoked ? ["key-revoke"] : [])],
          where,
        );
        for (const { id } of made) assert.deepEqual(await entriesOf(id), ["key-create"], where);
        const creations = (await redisRegistry(direct).audit()).filter(
          ({ action }) => action === "key-create",
        );
        assert.equal(creations.length, all.length, where);
        assert.ok(!acknowledged.create || made.length === 1, where);
        assert.ok(!acknowledged.rotate || rotated, where);
        assert.ok(!acknowledged.revoke || revoked, where);
        for (const happened of [made.length === 1, rotated, revoked]) outcomes[happened ? "made" : "not"]++;
      }
    }
    assert.equal(await redisRegistry(direct).verifyAudit(), null);
    t.diagnostic(JSON.stringify(outcomes));
    assert.ok(outcomes.made > 0 && outcomes.not > 0, "expected cuts on both sides of the commit");
  });
});
