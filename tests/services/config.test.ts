import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { adminKey, loadConfig } from "../../services/config.ts";

describe("configuration", () => {
  test("has a default for everything and is frozen", () => {
    const config = loadConfig({});
    assert.deepEqual(
      { ...config, threads: 0, policyFile: null },
      {
        redisUrl: "redis://127.0.0.1:6379",
        prefix: "phasewise",
        port: 3000,
        host: "127.0.0.1",
        metricsPort: null,
        trustedProxies: null,
        tokenKeys: null,
        tokenAlgorithm: null,
        tokenIssuer: null,
        tokenAudience: null,
        dataFolder: null,
        stateFolder: ".phasewise",
        adminKey: null,
        logLevel: "info",
        policyFile: null,
        workerConcurrency: 2,
        threads: 0,
      },
    );
    assert.ok(config.threads >= 1);
    assert.equal(config.policyFile, existsSync("phasewise.policy.json") ? "phasewise.policy.json" : null);
    assert.ok(Object.isFrozen(config));
  });

  test("a flag wins over the environment, and an empty variable counts as absent", () => {
    const env = { PORT: "4000", REDIS_URL: "redis://cache:6380/1", PHASEWISE_DATA: "", HOST: "0.0.0.0" };
    const config = loadConfig(env, { port: "5000", host: undefined });
    assert.equal(config.port, 5000);
    assert.equal(config.host, "0.0.0.0");
    assert.equal(config.redisUrl, "redis://cache:6380/1");
    assert.equal(config.dataFolder, null);
  });

  test("a wrong value is refused with what was expected, what was got and the remedy", () => {
    const wrong = {
      PORT: "70000",
      REDIS_URL: "localhost:6379",
      PHASEWISE_LOG_LEVEL: "loud",
      PHASEWISE_WORKER_CONCURRENCY: "2.5",
      PHASEWISE_THREADS: "-1",
    };
    for (const [variable, value] of Object.entries(wrong)) {
      assert.throws(() => loadConfig({ [variable]: value }), {
        code: "INVALID_CONFIGURATION",
        message: new RegExp(`expected .+, got "${value}"; correct ${variable} or unset it`),
      });
    }
  });

  test("a password of Redis that is not encoded is refused with what to write, and not shown", () => {
    for (const password of ["hunter#2", "hunter/2", "hunter?2", "hunter2%"]) {
      const env = { REDIS_URL: `redis://:${password}@127.0.0.1:6379` };
      assert.throws(
        () => loadConfig(env),
        ({ message }: Error) =>
          /# .* of a password written as %23/.test(message) && !message.includes("hunter"),
        password,
      );
    }
    const url = "redis://me:hunter%232@[::1]:6379/1";
    assert.equal(loadConfig({ REDIS_URL: url }).redisUrl, url);
  });

  test("a refused key is not shown", () => {
    assert.throws(
      () => loadConfig({ PHASEWISE_ADMIN_KEY: "hunter2" }),
      (error: Error) => /adminKey: expected/.test(error.message) && !error.message.includes("hunter2"),
    );
  });
});

describe("admin key", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-home-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("is made once, whole, readable by its owner only, however many start at the same time", async () => {
    const home = join(folder, "new", "home");
    const keys = await Promise.all(Array.from({ length: 20 }, () => adminKey(home)));
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0], /^[A-Za-z0-9_-]{32}$/);
    assert.equal(await adminKey(home), keys[0]);
    assert.equal((await stat(join(home, "admin-key"))).mode & 0o777, 0o600);
    assert.equal((await readFile(join(home, "admin-key"), "utf8")).trim(), keys[0]);
    assert.deepEqual(await readdir(home), ["admin-key"]);
  });

  test("a key file that was emptied is refused, not served", async () => {
    await writeFile(join(folder, "admin-key"), "\n");
    await assert.rejects(adminKey(folder), /expected at least 8 characters in .+ delete the file/);
  });
});
