import { after, before } from "node:test";
import type { Redis } from "ioredis";
import { connectRedis, type RedisWait } from "../../services/redis.ts";
import { type PrivateRedis, startRedis } from "./redis.ts";

export interface RedisSuite {
  readonly server: PrivateRedis;
  readonly redis: Redis;
}

/** To be called in a `describe`, before its own hooks: a Redis that lives as long as the suite, and a client of it. */
export function redisSuite(wait: RedisWait = "patient"): RedisSuite {
  let server: PrivateRedis;
  let redis: Redis;
  before(async () => {
    server = await startRedis();
    redis = connectRedis({ redisUrl: server.url }, wait, () => {});
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });
  return {
    get server() {
      return server;
    },
    get redis() {
      return redis;
    },
  };
}
