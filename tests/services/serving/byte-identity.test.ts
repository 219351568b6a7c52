import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import supertest from "supertest";
import { DEFAULT_EVENT_RULES } from "../../../models/data/event-rules.ts";
import { itemId, userId } from "../../../models/data/ids.ts";
import { isAssigned } from "../../../models/gate/assignment.ts";
import type { Decision } from "../../../models/gate/decision.ts";
import { artifactStore } from "../../../services/artifacts/artifact-store.ts";
import { redisFindings } from "../../../services/findings/redis-findings.ts";
import { redisForecasts } from "../../../services/forecasts/redis-forecasts.ts";
import { redisHoldbackLog } from "../../../services/holdback/redis-holdback-log.ts";
import { redisEventLog } from "../../../services/interactions/event-log.ts";
import { redisInterleavingLog } from "../../../services/interleaving/redis-interleaving-log.ts";
import { redisItemChanges } from "../../../services/items/item-changes.ts";
import { KeyRing } from "../../../services/keys/key-ring.ts";
import { redisKeyStore } from "../../../services/keys/key-store.ts";
import { RequestIds } from "../../../services/keys/request-ids.ts";
import { createProducers, type JobProducers } from "../../../services/queues/producers.ts";
import { connectRedis } from "../../../services/redis.ts";
import { redisDecisionLog } from "../../../services/registry/decisions.ts";
import { type RedisRegistry, redisRegistry } from "../../../services/registry/registry.ts";
import { buildApp } from "../../../services/serving/app.ts";
import { CatalogueFile } from "../../../services/serving/catalogue-file.ts";
import { Histories } from "../../../services/serving/histories.ts";
import { Holdback } from "../../../services/serving/holdback.ts";
import { Interleaving } from "../../../services/serving/interleaving.ts";
import { LiveModel } from "../../../services/serving/live-model.ts";
import { createMetrics } from "../../../services/serving/serving-metrics.ts";
import { ShadowTap } from "../../../services/serving/shadow-tap.ts";
import { Visitors } from "../../../services/serving/visitors.ts";
import { redisLooks } from "../../../services/shadow/looks.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";
import { eventually } from "../../support/eventually.ts";
import { type PrivateRedis, startRedis } from "../../support/redis.ts";
import { ADMIN_KEY, BEARER } from "./rig.ts";
import { CATALOGUE, fitSmall, manifestOf } from "./small-world.ts";

const ATTEMPT = "challenger~live~1";
const SHARE = 0.5;
const outside = Array.from({ length: 40 }, (_, user) => `user-${user}`)
  .filter((user) => !isAssigned(user, `interleaving/${ATTEMPT}`, SHARE))
  .slice(0, 6);

type Shadow = "off" | "on" | "hung";

/** The API of one replica, with the shadow in the state asked for, everything else alike. */
interface Replica {
  readonly url: string;
  readonly histories: Histories;
  readonly sent: () => number;
  readonly shed: () => number;
  close(): Promise<void>;
}

describe("replies to users outside the interleaving share", () => {
  let server: PrivateRedis;
  let redis: Redis;
  let reads: Redis;
  let folder: string;
  let registry: RedisRegistry;
  let producers: JobProducers;
  let challenger: string;

  before(async () => {
    server = await startRedis();
    folder = await mkdtemp(join(tmpdir(), "phasewise-bytes-"));
    await mkdir(join(folder, "snapshot"));
    const rows = Array.from(CATALOGUE, ([id, info]) => ({ itemId: id, ...info }));
    await writeFile(join(folder, "catalogue.json"), JSON.stringify(rows));
    redis = connectRedis({ redisUrl: server.url }, "bounded", () => {});
    // What is compared is the reply, not the wait: a busy machine may take its time, and a dead Redis fails at once.
    reads = connectRedis({ redisUrl: server.url }, "deliberate", () => {});
    await eventually(() => redis.status === "ready" && reads.status === "ready");
    registry = redisRegistry(redis);
    producers = createProducers({ redisUrl: server.url }, () => {});
    const artifacts = artifactStore(folderStore(join(folder, "artifacts")));
    const register = async (recipe: string, params = {}): Promise<string> => {
      const model = await fitSmall(recipe, params);
      const stored = await artifacts.write(model, (file) => manifestOf(model, file));
      await registry.register(stored.manifest, stored.manifestSha256, "tests");
      return stored.manifest.version;
    };
    const popular = await register("popularity");
    const live = await register("item-knn");
    challenger = await register("popular-lately", { halfLifeDays: 30 });
    const base = { reason: "tests", actor: "tests", force: true };
    await registry.promote({ ...base, version: popular, expectedLive: null });
    await registry.promote({ ...base, version: live, expectedLive: popular });
    const events = outside.map((user, index) => ({
      eventId: `event-${user}`,
      userId: userId(user),
      itemId: itemId(`f${index + 1}`),
      type: "watch",
      timestamp: 1_700_000_000_000,
    }));
    await redisEventLog(redis).append(events, 1_700_000_000_000);
    const opening = {
      attemptId: ATTEMPT,
      challenger,
      baseline: live,
      share: SHARE,
      consecutiveFailures: 5,
    };
    await redisInterleavingLog(redis).setOpen({ ...opening, budgetMs: 10_000, listsPerUser: 1000 }, 600_000);
  });
  after(async () => {
    await Promise.race([producers.close(), new Promise((resolve) => setTimeout(resolve, 500))]);
    redis.disconnect();
    reads.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const startReplica = async (shadow: Shadow): Promise<Replica> => {
    const metrics = createMetrics();
    const artifacts = artifactStore(folderStore(join(folder, "artifacts")));
    const catalogue = new CatalogueFile(folderStore(folder));
    const live = new LiveModel({
      registry,
      artifacts,
      lastLive: null,
      beforeSwap: async () => void (await catalogue.refresh()),
    });
    const histories = new Histories(redisEventLog(reads), { budgetMs: 5000 });
    let sent = 0;
    let shed = 0;
    const tap = new ShadowTap({
      rate: shadow === "off" ? 0 : 1,
      capacity: 4,
      flushEveryMs: 5,
      send: async (batch) => {
        sent += batch.requests.length;
        if (shadow === "hung") await new Promise(() => {});
        await producers.addShadow(batch);
      },
      onShed: (_, requests) => {
        shed += requests;
      },
    });
    const interleaving = new Interleaving({
      log: redisInterleavingLog(reads),
      load: (version) => live.tryOut(version),
    });
    const keys = redisKeyStore(redis);
    const app = await buildApp(
      {
        registry,
        artifacts,
        events: redisEventLog(redis),
        producers,
        decisions: redisDecisionLog<Decision>(redis),
        findings: redisFindings(redis),
        looks: redisLooks(redis),
        forecasts: redisForecasts(redis),
        holdback: new Holdback({
          log: redisHoldbackLog(redis),
          share: 0,
          listsPerUser: 20,
          onError: () => {},
        }),
        holdbackLog: redisHoldbackLog(redis),
        rules: DEFAULT_EVENT_RULES,
        itemChanges: redisItemChanges(redis),
        catalogue,
        live,
        histories,
        visitors: new Visitors(),
        shadow: tap,
        interleaving,
        metrics,
        metricsApart: false,
        redisUp: () => redis.status === "ready",
        surroundings: () => ({ redis: "up", workers: null, problems: [] }),
        now: Date.now,
        keys,
        keyRing: new KeyRing({
          store: keys,
          adminKey: ADMIN_KEY,
          file: join(folder, "keys.json"),
        }),
        requestIds: new RequestIds("a secret for tests only"),
        userTokens: null,
        openToVisitors: () => true,
      },
      { newRequestId: () => "the-one-request-id" },
    );
    await live.start();
    await eventually(async () => {
      await interleaving.look();
      return interleaving.challenger === challenger;
    }, "the challenger is loaded");
    return {
      url: await app.listen({ port: 0, host: "127.0.0.1", listenTextResolver: () => "" }),
      histories,
      sent: () => sent,
      shed: () => shed,
      async close() {
        await app.close();
        await live.close();
        await interleaving.close();
        if (shadow !== "hung") await tap.close();
      },
    };
  };

  const session = { history: ["f3", "f5", "no-film"], k: 5, exclude: ["f1"] };
  /** Every reply as text: stored users, sessions, a genre, nobody. */
  const repliesOf = async ({ url }: Replica): Promise<{ stored: string[]; unstored: string[] }> => {
    const http = supertest.agent(url);
    const stored: string[] = [];
    const unstored: string[] = [];
    for (const user of outside) {
      for (const query of [{ k: 4 }, { k: 100 }, { k: 3, genre: "Drama" }, { k: 3, exclude: "f2,f4" }]) {
        stored.push(
          (
            await http
              .get("/recommend")
              .set(BEARER)
              .query({ userId: user, ...query })
          ).text,
        );
      }
      unstored.push(
        (
          await http
            .post("/recommend")
            .set(BEARER)
            .send({ ...session, userId: user })
            .expect(200)
        ).text,
      );
    }
    unstored.push((await http.get("/recommend?k=7").expect(200)).text);
    return { stored, unstored };
  };
  /** Remembers each history, for when Redis is dead. */
  const warmedUp = async (replica: Replica): Promise<void> => {
    for (const user of outside) {
      assert.equal((await replica.histories.of(userId(user))).origin, "stored");
    }
  };
  const asStored = (text: string): string => text.replace('"history":"remembered"', '"history":"stored"');

  it("differ inside the share, and say so", async () => {
    const replica = await startReplica("off");
    const inside = Array.from({ length: 40 }, (_, user) => `user-${user}`).find((user) =>
      isAssigned(user, `interleaving/${ATTEMPT}`, SHARE),
    );
    const http = supertest.agent(replica.url);
    await eventually(
      async () =>
        (await http.get("/recommend").set(BEARER).query({ userId: inside })).body.interleavedWith ===
        challenger,
    );
    await replica.close();
  });

  it("are the same bytes with the shadow off, on, hung, and with Redis dead", async () => {
    const off = await startReplica("off");
    await warmedUp(off);
    const expected = await repliesOf(off);
    assert.equal(off.sent(), 0);
    await off.close();
    assert.ok(expected.stored.every((text) => JSON.parse(text).items.length > 0));
    assert.ok(expected.stored.every((text) => !text.includes("interleavedWith")));

    for (const shadow of ["on", "hung"] as const) {
      const replica = await startReplica(shadow);
      await warmedUp(replica);
      const replies = await repliesOf(replica);
      assert.deepEqual(replies.stored, expected.stored, `shadow ${shadow}`);
      assert.deepEqual(replies.unstored, expected.unstored, `shadow ${shadow}`);
      assert.ok(replica.sent() > 0);
      if (shadow === "hung") assert.ok(replica.shed() > 0, "the ring was full");
      await replica.close();
    }

    const orphan = await startReplica("on");
    await warmedUp(orphan);
    await server.kill();
    const replies = await repliesOf(orphan);
    // The reply says where the history came from; all else is the same.
    assert.deepEqual(replies.stored.map(asStored), expected.stored, "Redis dead");
    assert.ok(replies.stored.every((text) => text.includes('"history":"remembered"')));
    assert.deepEqual(replies.unstored, expected.unstored, "Redis dead");
    await server.restart();
    await orphan.close();
  });
});
