import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

interface ProvidedRedis {
  readonly url: string;
  stop(): Promise<void>;
}
interface RedisModule {
  findRedisServer(searchPath?: string, names?: readonly string[]): string | null;
  provideRedis(program: string, folder: string): Promise<ProvidedRedis>;
  freePort(): Promise<number>;
  answersPing(port: number): Promise<boolean>;
  readonly REMEDY: string;
}
interface ShellModule {
  isAlive(pid: number): boolean;
}
interface PrepareModule {
  nodeIsRecent(version: string): boolean;
  dependenciesAreStale(root: string): boolean;
  buildIsStale(root: string): boolean;
}

const local = new URL("../../../../deploy/local/", import.meta.url);
const redis = (await import(new URL("redis.mjs", local).href)) as RedisModule;
const shell = (await import(new URL("shell.mjs", local).href)) as ShellModule;
const prepare = (await import(new URL("prepare.mjs", local).href)) as PrepareModule;
const root = await mkdtemp(join(tmpdir(), "phasewise-local-"));
after(() => rm(root, { recursive: true, force: true }));

test("Node versions are compared part by part", () => {
  assert.deepEqual(
    ["20.18.9", "20.19.0", "v22.1.0", "18.20.0"].map((version) => prepare.nodeIsRecent(version)),
    [false, true, true, false],
  );
});

test("dependencies are stale when a package is missing or of another version", async () => {
  const project = await mkdtemp(join(root, "project-"));
  const lockfile = (version: string, more = {}): string =>
    JSON.stringify({ packages: { "": {}, "node_modules/a": { version }, ...more } });
  await writeFile(
    join(project, "package-lock.json"),
    lockfile("1.0.0", { "node_modules/b": { version: "2.0.0", optional: true } }),
  );
  assert.equal(prepare.dependenciesAreStale(project), true);
  await mkdir(join(project, "node_modules"));
  const installed = join(project, "node_modules", ".package-lock.json");
  await writeFile(installed, lockfile("1.0.0"));
  assert.equal(prepare.dependenciesAreStale(project), false);
  await writeFile(installed, lockfile("0.9.0"));
  assert.equal(prepare.dependenciesAreStale(project), true);
});

test("the build is stale when a source is newer than its stamp", async () => {
  const project = await mkdtemp(join(root, "project-"));
  await mkdir(join(project, "dist"));
  await mkdir(join(project, "models", "data"), { recursive: true });
  const source = join(project, "models", "data", "a.ts");
  await writeFile(source, "");
  assert.equal(prepare.buildIsStale(project), true);
  const stamp = join(project, "dist", ".built");
  await writeFile(stamp, "");
  const later = new Date(Date.now() + 60_000);
  await utimes(stamp, later, later);
  assert.equal(prepare.buildIsStale(project), false);
  const latest = new Date(Date.now() + 120_000);
  await utimes(source, latest, latest);
  assert.equal(prepare.buildIsStale(project), true);
});

test("without Redis on PATH and without a package manager the remedy is one line", async () => {
  const empty = await mkdtemp(join(root, "path-"));
  assert.equal(redis.findRedisServer(empty), null);
  assert.match(redis.REMEDY, /^Redis is missing\. Run: [^\n]*(apt-get|brew) install[^\n]*$/);
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL("start.mjs", local))], {
    encoding: "utf8",
    env: { PATH: empty, HOME: root },
  });
  assert.equal(status, 1);
  assert.ok(stderr.endsWith(`${redis.REMEDY}\n`), stderr);
});

test("a private Redis starts, is taken over by a second start, and ends", async () => {
  const program = redis.findRedisServer();
  assert.ok(program !== null, "tests need redis-server on PATH");
  const folder = join(await mkdtemp(join(root, "redis-")), "data");
  const first = await redis.provideRedis(program, folder);
  const { pid, port } = JSON.parse(await readFile(join(folder, "server.json"), "utf8"));
  assert.equal(await redis.answersPing(port), true);
  const second = await redis.provideRedis(program, folder);
  assert.equal(second.url, first.url);
  await second.stop();
  assert.equal(shell.isAlive(pid), false);
  await first.stop();
  const third = await redis.provideRedis(program, folder);
  assert.equal(await redis.answersPing(Number(new URL(third.url).port)), true);
  await third.stop();
});

test("a record of a dead server is no obstacle, nor is a server that cannot start", async () => {
  const program = redis.findRedisServer();
  assert.ok(program !== null, "tests need redis-server on PATH");
  const folder = await mkdtemp(join(root, "redis-"));
  const dead = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => dead.once("exit", resolve));
  await writeFile(
    join(folder, "server.json"),
    JSON.stringify({ pid: dead.pid, port: await redis.freePort() }),
  );
  const started = await redis.provideRedis(program, folder);
  await started.stop();
  await assert.rejects(redis.provideRedis("/bin/false", folder), /did not start \(exit code 1\)/);
});

test("free ports are free", async () => {
  assert.equal(await redis.answersPing(await redis.freePort()), false);
});
