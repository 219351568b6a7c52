import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { eventually } from "../support/eventually.ts";
import { type Running, type Service, startService } from "../support/service.ts";
import { raiseSmallLadder } from "../support/small-ladder.ts";

const USERS = 20;
const CLIENTS = 8;
const REQUESTS = 100;

/** How long each answer takes: `npm run bench:faults -- F1`. */
describe("F1: Redis is stuck, or gone, while the service is asked", () => {
  let service: Service;
  let redis: Redis;
  let api: Running & { readonly url: string };
  let sent = 0;

  const recommend = async (user: number) => {
    const headers = { authorization: `Bearer ${service.key}` };
    const reply = await fetch(`${api.url}/recommend?userId=u${user}&k=3`, { headers });
    return { status: reply.status, ...((await reply.json()) as { history?: string }) };
  };
  const feedback = async (n = sent++) => {
    const events = [{ eventId: `e${n}`, userId: `u${n % USERS}`, itemId: "f1", type: "watch" }];
    const reply = await fetch(`${api.url}/feedback`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${service.key}` },
      body: JSON.stringify({ events }),
    });
    const { error, duplicates } = (await reply.json()) as { error?: { code: string }; duplicates?: number };
    return {
      status: reply.status,
      code: error?.code,
      duplicates,
      retryAfter: reply.headers.get("retry-after"),
    };
  };
  const assertAllAnswered = async (): Promise<void> => {
    const lists = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = 0; n < REQUESTS; n++) {
        const { status, history } = await recommend((client + n) % USERS);
        assert.equal(status, 200);
        assert.ok(history === "remembered" || history === "stored", history);
      }
    });
    const events = Array.from({ length: 20 }, async () => {
      const { status, code, retryAfter } = await feedback();
      assert.deepEqual([status, code, retryAfter], [503, "STORE_UNAVAILABLE", "1"]);
    });
    await Promise.all([...lists, ...events]);
  };
  const assertBack = async (): Promise<void> => {
    await eventually(async () => (await feedback()).status === 202, "feedback is taken");
    await eventually(async () => (await recommend(1)).history === "stored", "histories are read");
  };

  before(async () => {
    service = await startService({});
    redis = connectRedis(service.config, "patient", () => {});
    await raiseSmallLadder(service.home, redisRegistry(redis));
    api = await service.startApi();
    await eventually(async () => (await fetch(`${api.url}/readyz`)).status === 200, "ready");
    for (let user = 0; user < USERS; user++) {
      await eventually(async () => (await feedback()).status === 202, "feedback is taken");
      await eventually(async () => (await recommend(user)).history === "stored", "a history is read");
    }
  });
  after(async () => {
    redis.disconnect();
    await service.stop();
  });

  it("stuck: every list is answered, from what is remembered, and every event is refused", async () => {
    service.redis.pause();
    try {
      await assertAllAnswered();
    } finally {
      service.redis.resume();
    }
    await assertBack();
  });

  it("killed: the same, and what is sent again afterwards takes effect once", async () => {
    await service.redis.kill();
    await assertAllAnswered();
    const refused = sent - 1;
    await service.redis.restart();
    await assertBack();
    assert.equal((await feedback(refused)).status, 202);
    assert.equal((await feedback(refused)).duplicates, 1);
  });
});
