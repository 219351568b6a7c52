import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { freePort } from "../../deploy/processes/free-port.ts";
import type { Readiness } from "../../services/serving/routes/health.ts";
import { eventually } from "../support/eventually.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { type Service, startService } from "../support/service.ts";
import { startWire, type Wire } from "../support/wire.ts";

const UNREACHABLE = 5;

describe("F26: a Redis that is not fit", () => {
  let service: Service;
  let redis: PrivateRedis;
  let admin: Redis;
  let wire: Wire;

  const refusal = async (verb: string, url: string): Promise<string> => {
    const { code, stderr, stdout } = await service.cli([verb], undefined, { REDIS_URL: url });
    assert.equal(code, UNREACHABLE, stderr + stdout);
    // The client of Redis may have a word of its own before.
    const lines = stderr.split("\n").filter((line) => line.startsWith("phasewise: "));
    assert.equal(lines.length, 1, stderr);
    return lines[0];
  };
  const userUrl = async (name: string, ...rules: readonly string[]): Promise<string> => {
    await admin.call("ACL", "SETUSER", name, "reset", "on", ">secret", "~*", "&*", ...rules);
    return redis.url.replace("//", `//${name}:secret@`);
  };

  before(async () => {
    service = await startService({});
    redis = await startRedis();
    admin = new Redis(redis.url);
    wire = await startWire(redis.port);
  });
  after(async () => {
    admin.disconnect();
    await wire.close();
    await redis.stop();
    await service.stop();
  });

  it("is refused at the start for its version, in one sentence with the remedy", async () => {
    const ours = "redis_version:";
    wire.onMessage = (message) => {
      const at = message.indexOf(ours);
      if (at >= 0) message.write("6", at + ours.length);
      return true;
    };
    assert.match(
      await refusal("compact", wire.url),
      /expected version 7 or later, got 6\.[\d.]+; upgrade it/,
    );
  });

  it("is refused for an eviction policy that drops keys, by API, worker and command alike", async () => {
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    for (const verb of ["serve", "work", "compact"]) {
      assert.match(await refusal(verb, redis.url), /expected maxmemory-policy noeviction, got allkeys-lru/);
    }
    await admin.config("SET", "maxmemory-policy", "noeviction");
  });

  it("is refused for what its user may not do", async () => {
    const all = "+@all";
    const blind = await userUrl("blind", all, "-info");
    const line = await refusal("compact", blind);
    assert.match(line, /its user may not run INFO/);
    assert.ok(!line.includes("secret"), "the password is not told");
    assert.match(await refusal("compact", await userUrl("mute", all, "-eval", "-evalsha")), /EVAL/);
    assert.match(await refusal("compact", await userUrl("poor", all, "-xadd")), /may not run xadd on/);
    assert.match(await refusal("compact", redis.url.replace("//", "//blind:wrong@")), /user or password/);
  });

  it("is refused as a read-only replica, which names the one to use", async () => {
    await admin.call("REPLICAOF", "127.0.0.1", "6");
    assert.match(
      await refusal("compact", redis.url),
      /a read-only replica of 127\.0\.0\.1:6; set REDIS_URL to that/,
    );
    await admin.call("REPLICAOF", "NO", "ONE");
  });

  it("is refused where nobody listens, by API, worker and command alike", async () => {
    const port = await freePort();
    for (const verb of ["serve", "work", "compact"]) {
      const line = await refusal(verb, `redis://127.0.0.1:${port}`);
      assert.match(line, new RegExp(`Redis at redis://127\\.0\\.0\\.1:${port}: .*ECONNREFUSED.*; start it`));
    }
  });

  it("is named by a running service, also when it became so behind the connection, until it is fit again", async () => {
    const { url } = await service.startApi({ REDIS_URL: redis.url });
    const status = async () => (await (await fetch(`${url}/readyz`)).json()) as Readiness;
    const says = (state: string, problem: RegExp) =>
      eventually(async () => {
        const { redis: seen, problems } = await status();
        return seen === state && problems.some((words) => problem.test(words));
      }, `${state} ${problem}`);
    await eventually(async () => (await status()).redis === "up", "Redis is fit");
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    await says("unfit", /noeviction/);
    await admin.config("SET", "maxmemory-policy", "noeviction");
    await admin.call("REPLICAOF", "127.0.0.1", "6");
    await says("unfit", /read-only replica/);
    await admin.call("REPLICAOF", "NO", "ONE");
    await admin.config("SET", "appendonly", "no");
    await says("up", /append-only file/);
    await admin.config("SET", "appendonly", "yes");
    await eventually(
      async () => (await status()).problems.every((words) => !words.startsWith("Redis")),
      "nothing is wrong with Redis any more",
    );
  });
});

describe("F2: a replica that nobody asks anything", () => {
  it("notices by itself that Redis is away, and that it is back", async () => {
    const service = await startService({});
    try {
      const { url } = await service.startApi();
      const redisIs = (state: string) =>
        eventually(async () => {
          const reply = await fetch(`${url}/readyz`);
          return ((await reply.json()) as Readiness).redis === state;
        }, state);
      await redisIs("up");
      await service.redis.kill();
      await redisIs("down");
      await service.redis.restart();
      await redisIs("up");
      service.redis.pause();
      await redisIs("down");
      service.redis.resume();
      await redisIs("up");
    } finally {
      await service.stop();
    }
  });
});
