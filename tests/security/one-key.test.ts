import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { SignJWT } from "jose";
import { itemId, userId } from "../../models/data/ids.ts";
import { DEFAULT_POLICY } from "../../models/gate/policy.ts";
import { originOf, suspicionsOfLift, vouchFor } from "../../models/gate/vouching.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import type { EventLog } from "../../services/interactions/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";

const SHOP = "https://shop.example";
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ACCOUNTS = 60;

describe("a site whose only key is a page's, with tokens that its back end signs for whoever has an account", () => {
  const secret = randomBytes(32).toString("base64url");
  let rig: Rig;
  let redis: Redis;
  let events: EventLog;
  let home: string;
  let page: Record<string, string>;
  let source: string;

  const tell = async (user: string, timestamp?: number): Promise<number> => {
    const token = await new SignJWT({ iss: SHOP, aud: "phasewise", sub: user })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("5m")
      .sign(new TextEncoder().encode(secret));
    const event = { eventId: `first-${user}`, userId: user, itemId: "f1", type: "watch", timestamp };
    let status = 503;
    await eventually(async () => {
      const headers = { ...page, "x-user-token": token };
      ({ status } = await rig
        .http()
        .post("/feedback")
        .set(headers)
        .send({ events: [event] }));
      return status !== 503;
    }, "the store answers");
    return status;
  };
  /** As the judge sees them once their windows have closed. */
  const suspicionsOf = async (users: readonly string[]) => {
    const histories = await events.histories(users.map(userId));
    const judged = users.map((user) => {
      const times = (histories.get(userId(user))?.entries ?? []).map(({ timestamp }) => timestamp);
      return { origin: originOf(source, times), closedAt: Date.now() + 7 * DAY_MS };
    });
    const { counted, vouching } = vouchFor(judged, DEFAULT_POLICY.evidence);
    assert.equal(counted.length, users.length);
    const rows = counted.map((_, n) => {
      return { user: `u${n}`, difference: 0.02, baseline: 0.05, cohort: "light" as const };
    });
    return suspicionsOfLift({ vouching, users: rows, plan: null }, DEFAULT_POLICY);
  };
  const named = (name: string): string[] => Array.from({ length: ACCOUNTS }, (_, n) => `${name}-${n}`);

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "phasewise-one-key-"));
    const tokenKeys = join(home, "secrets");
    await writeFile(tokenKeys, `${secret}\n`);
    rig = await startRig({
      settings: { tokenKeys, tokenAlgorithm: "HS256", tokenIssuer: SHOP, tokenAudience: "phasewise" },
    });
    redis = connectRedis({ redisUrl: rig.redis.url }, "patient", () => {});
    events = redisEventLog(redis);
    const order = { name: "pages", kind: "publishable", origins: [SHOP] };
    const { body } = await rig.http().post("/keys").set(BEARER).send(order).expect(201);
    source = body.id;
    page = { authorization: `Bearer ${body.key}`, origin: SHOP };
  });
  after(async () => {
    redis.disconnect();
    await rig.stop();
    await rm(home, { recursive: true, force: true });
  });

  it("is believed where its users came over days", async () => {
    const users = named("reader");
    const now = Date.now();
    for (const [n, user] of users.entries()) {
      const timestamp = now - 6 * DAY_MS + Math.floor(n / 10) * DAY_MS + (n % 10) * 0.3 * HOUR_MS;
      const event = { eventId: `came-${user}`, userId: userId(user), itemId: itemId("f1"), type: "watch" };
      await events.append([{ ...event, timestamp, source }], now);
    }
    assert.deepEqual(await suspicionsOf(users), []);
  });

  it("is not believed where its accounts were made at once: the record names the key", async () => {
    const users = named("account");
    for (const user of users) assert.equal(await tell(user), 202);
    const [suspicion] = await suspicionsOf(users);
    assert.deepEqual(suspicion, { kind: "burst", users: ACCOUNTS, of: ACCOUNTS, source });
    const [mixed] = await suspicionsOf([...named("reader"), ...users]);
    assert.equal(mixed.kind, "burst", "among as many real ones, too");
  });

  it("is told nothing older than an hour by a browser, so that no account is older than it is", async () => {
    for (const age of [2 * HOUR_MS, 30 * DAY_MS])
      assert.equal(await tell(`older-${age}`, Date.now() - age), 400);
    assert.equal(await tell("just-now", Date.now() - 0.9 * HOUR_MS), 202);
    const event = { eventId: "by-the-back-end", userId: "older", itemId: "f1", type: "watch" };
    const sent = { events: [{ ...event, timestamp: Date.now() - 30 * DAY_MS }] };
    await eventually(
      async () => (await rig.http().post("/feedback").set(BEARER).send(sent)).status === 202,
      "a back end may say so",
    );
  });
});
