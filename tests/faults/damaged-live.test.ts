import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import type { Readiness } from "../../services/serving/routes/health.ts";
import { eventually } from "../support/eventually.ts";
import { type Service, startService } from "../support/service.ts";
import { raiseSmallLadder, type SmallLadder } from "../support/small-ladder.ts";

describe("F23: the live artifact is damaged, and the API is restarted", () => {
  let service: Service;
  let ladder: SmallLadder;
  const versions: string[] = [];

  const damage = (version: string) =>
    truncate(join(service.home, "artifacts", version, "model.safetensors"), 100);
  const restarted = async (): Promise<{ url: string; status: Readiness; said: unknown }> => {
    const api = await service.startApi();
    const ask = async () => (await (await fetch(`${api.url}/readyz`)).json()) as Readiness;
    await eventually(async () => (await ask()).ready, "ready");
    const reply = await fetch(`${api.url}/recommend?k=3`);
    assert.equal(reply.status, 200);
    const { model } = (await reply.json()) as { model: { version: string } };
    const status = await ask();
    await api.stop();
    return { url: api.url, status, said: model.version };
  };

  before(async () => {
    service = await startService({});
    const redis = connectRedis(service.config, "patient", () => {});
    const registry = redisRegistry(redis);
    ladder = await raiseSmallLadder(service.home, registry);
    for (let expectedLive = ladder.floor; versions.length < 2; ) {
      const version = await ladder.challenger();
      await registry.promote({ version, expectedLive, reason: "r", actor: "tests", force: true });
      versions.push(version);
      expectedLive = version;
    }
    redis.disconnect();
  });
  after(() => service.stop());

  it("PREVIOUS serves, and /readyz says which version is damaged, how, and what to do", async () => {
    const [previous, live] = versions;
    await damage(live);
    const { status, said } = await restarted();
    assert.equal(said, previous);
    assert.match(
      status.why,
      new RegExp(`^${live} should be live and cannot be served .*; ${previous} answers instead: restore`),
    );
    assert.ok(status.problems.includes(status.why));
  });

  it("the floor serves where PREVIOUS is damaged too", async () => {
    await damage(versions[0]);
    const { status, said } = await restarted();
    assert.equal(said, ladder.floor);
    assert.match(status.why, new RegExp(`${ladder.floor} answers instead`));
  });

  it("nothing is said to be missing a promotion where nothing can be served at all", async () => {
    await damage(ladder.floor);
    const { url } = await service.startApi();
    await eventually(async () => {
      const reply = await fetch(`${url}/readyz`);
      const { why } = (await reply.json()) as Readiness;
      return reply.status === 503 && /cannot be served .*; nor can what a rollback returns to/.test(why);
    }, "/readyz says what is damaged");
    assert.match(await (await fetch(`${url}/recommend`)).text(), /cannot be served/);
  });
});
