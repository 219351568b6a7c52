import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { connectRedis } from "../../services/redis.ts";
import { type RedisRegistry, redisRegistry } from "../../services/registry/registry.ts";
import type { RollbackResult } from "../../services/registry/types.ts";
import { eventually } from "../support/eventually.ts";
import { type Service, startService } from "../support/service.ts";
import { raiseSmallLadder, type SmallLadder } from "../support/small-ladder.ts";
import { assertWhole } from "../support/whole-registry.ts";
import { deafToAnnouncements, startWire, type Wire } from "../support/wire.ts";

/** Their switching times: `npm run bench:rollback`. */
const ROUNDS = 10;

describe("F16, F19: three API processes under load, one of them deaf to announcements", () => {
  let service: Service;
  let redis: Redis;
  let registry: RedisRegistry;
  let ladder: SmallLadder;
  let wire: Wire;
  let urls: readonly string[];

  const post = async <T>(url: string, path: string, body: object): Promise<T> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${service.key}` };
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(response.status, 200, path);
    return (await response.json()) as T;
  };
  const promote = (url: string, version: string, expectedLive: string) =>
    post(url, `/models/${version}/promote`, { expectedLive, reason: "a round", force: true });
  const rollback = (url: string, expectedLive: string) =>
    post<RollbackResult>(url, "/rollback", { expectedLive, reason: "a round" });
  /** As operators in a hurry send it: without the version that they mean to leave. */
  const nameless = (url: string, order: object = {}) =>
    post<RollbackResult>(url, "/rollback", { reason: "complaints", ...order });
  const servedBy = async (url: string): Promise<string> => {
    const reply = await fetch(`${url}/recommend?k=3`);
    assert.equal(reply.status, 200);
    return ((await reply.json()) as { model: { version: string } }).model.version;
  };
  const allServe = (version: string) =>
    eventually(
      async () => (await Promise.all(urls.map(servedBy))).every((served) => served === version),
      `all three serve ${version}`,
    );

  before(async () => {
    service = await startService({});
    redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
    registry = redisRegistry(redis);
    ladder = await raiseSmallLadder(service.home, registry);
    wire = await startWire(service.redis.port);
    wire.onMessage = deafToAnnouncements;
    const apis = await Promise.all(
      [{}, {}, { REDIS_URL: wire.url }].map((settings) => service.startApi(settings)),
    );
    urls = apis.map(({ url }) => url);
    await eventually(
      async () =>
        (await Promise.all(urls.map((url) => fetch(`${url}/readyz`)))).every(({ status }) => status === 200),
      "all three are ready",
    );
  });
  after(async () => {
    redis.disconnect();
    await wire.close();
    await service.stop();
  });

  it("all follow every promotion and every rollback, and no request fails meanwhile", async () => {
    const statuses = new Map<number, number>();
    let loaded = true;
    const load = urls.map(async (url) => {
      while (loaded) {
        const reply = await fetch(`${url}/recommend?userId=someone&k=3`);
        const { error } = (await reply.json()) as { error?: { code: string } };
        // A machine busy with other tests may lag: a replica then sheds, which is no failure of the switch.
        if (error?.code === "OVERLOADED") continue;
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      }
    });
    for (let round = 0; round < ROUNDS; round++) {
      const version = await ladder.challenger();
      const url = urls[round % urls.length];
      await promote(url, version, ladder.floor);
      await allServe(version);
      assert.equal((await rollback(url, version)).changed, true);
      await allServe(ladder.floor);
    }
    loaded = false;
    await Promise.all(load);
    assert.deepEqual([...statuses.keys()], [200]);
    await assertWhole(registry);
  });

  it("of twelve operators at three replicas one rolls back, the others are told, and nobody walks down two rungs", async () => {
    const [below, top] = [await ladder.challenger(), await ladder.challenger()];
    await promote(urls[0], below, ladder.floor);
    await promote(urls[0], top, below);
    await allServe(top);
    const results = await Promise.all([...urls, ...urls, ...urls, ...urls].map((url) => nameless(url)));
    assert.equal(results.filter(({ changed }) => changed).length, 1);
    for (const { left, to, changed, sentence } of results) {
      assert.deepEqual([left, to], [top, below]);
      if (!changed) assert.match(sentence, new RegExp(`${top} was left \\d+ s ago already`));
    }
    await allServe(below);
    await assertWhole(registry);
    await nameless(urls[0], { to: "floor" });
    await allServe(ladder.floor);
  });

  it("a version deep in the stack is loaded before the pointer moves to it, and refused when it cannot be", async () => {
    const [deep, middle, top] = [
      await ladder.challenger(),
      await ladder.challenger(),
      await ladder.challenger(),
    ];
    for (const [version, over] of [
      [deep, ladder.floor],
      [middle, deep],
      [top, middle],
    ]) {
      await promote(urls[0], version, over);
      await allServe(version);
    }
    const folder = join(service.home, "artifacts", deep);
    await rename(folder, `${folder}-gone`);
    const refused = await fetch(`${urls[0]}/rollback`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${service.key}` },
      body: JSON.stringify({ to: deep, reason: "complaints" }),
    });
    assert.equal(refused.status, 409);
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, "NOT_PROMOTABLE");
    assert.equal((await registry.live())?.version, top);
    await rename(`${folder}-gone`, folder);
    assert.equal((await nameless(urls[0], { to: deep })).live.version, deep);
    await allServe(deep);
    await nameless(urls[0], { to: "floor" });
    await allServe(ladder.floor);
    await assertWhole(registry);
  });

  it("a rollback needs nothing from the artifact store, and repeated in every replica it is a no-op", async () => {
    const version = await ladder.challenger();
    await promote(urls[0], version, ladder.floor);
    await allServe(version);
    const artifacts = join(service.home, "artifacts");
    await rename(artifacts, `${artifacts}-gone`);
    const { live, changed } = await rollback(urls[0], version);
    assert.equal(changed, true);
    await allServe(ladder.floor);
    const entries = (await registry.audit()).length;
    for (const url of [...urls, ...urls]) {
      const again = await rollback(url, version);
      assert.deepEqual([again.live, again.changed, again.left], [live, false, version]);
    }
    assert.equal((await registry.audit()).length, entries);
    assert.deepEqual(await registry.live(), live);
    await rename(`${artifacts}-gone`, artifacts);
    await assertWhole(registry);
  });
});
