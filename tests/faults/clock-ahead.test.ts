import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { EventClocks } from "../../services/interactions/event-clocks.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { connectRedis } from "../../services/redis.ts";
import { type Service, startService } from "../support/service.ts";

const HOUR_MS = 3_600_000;
const RECORDED = Date.UTC(2018, 0, 1);

describe("F10: a replica whose clock is an hour fast, and a live event during a replay", () => {
  let service: Service;
  let redis: Redis;
  let sent = 0;

  const clocks = (): Promise<EventClocks> => redisEventLog(redis).clocks();
  const redisTime = async (): Promise<number> => Number((await redis.time())[0]) * 1000 + 1000;
  const send = async (url: string, timestamp?: number): Promise<void> => {
    const event = { eventId: `e${sent++}`, userId: "ann", itemId: "f1", type: "watch", timestamp };
    const headers = { "content-type": "application/json", authorization: `Bearer ${service.key}` };
    const body = JSON.stringify({ events: [event] });
    const reply = await fetch(`${url}/feedback`, { method: "POST", headers, body });
    assert.equal(reply.status, 202, await reply.text());
  };

  before(async () => {
    service = await startService({});
    redis = connectRedis(service.config, "patient", () => {});
  });
  after(async () => {
    redis.disconnect();
    await service.stop();
  });

  it("move no clock beyond the time of Redis", async () => {
    const preload = new URL("../support/fast-clock.js", import.meta.url);
    const { url } = await service.startApi({ NODE_OPTIONS: `--import ${preload}` });
    await send(url);
    await send(url, Date.now() + HOUR_MS / 2);
    const { live, liveSince } = await clocks();
    assert.ok(live !== null && live <= (await redisTime()), `${live}`);
    assert.ok(liveSince !== null && liveSince <= live);
  });

  it("leave the replay its own clock", async () => {
    const { url } = await service.startApi();
    for (let day = 0; day < 5; day++) await send(url, RECORDED + day * 24 * HOUR_MS);
    await send(url);
    for (let day = 5; day < 8; day++) await send(url, RECORDED + day * 24 * HOUR_MS);
    assert.equal((await clocks()).recorded, RECORDED + 7 * 24 * HOUR_MS);
  });
});
