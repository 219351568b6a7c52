import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = await mkdtemp(join(tmpdir(), "phasewise-start-"));
const starters: ChildProcess[] = [];
after(async () => {
  for (const starter of starters) if (starter.exitCode === null) starter.kill("SIGKILL");
  await rm(root, { recursive: true, force: true });
});

/** A stand-in for the service: says what it was given, starts a helper process, ends as it is asked to. */
const SERVICE = `
import { spawn } from "node:child_process";
const helper = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
process.on("SIGTERM", () => process.exit(0));
console.log(JSON.stringify({ arguments: process.argv.slice(2), redis: process.env.REDIS_URL, service: process.pid, helper: helper.pid }));
if (process.argv.includes("--crash")) process.exit(3);
setInterval(() => {}, 1000);
`;

interface Announcement {
  readonly arguments: readonly string[];
  readonly redis: string;
  readonly service: number;
  readonly helper: number;
}

before(async () => {
  const local = fileURLToPath(new URL("../../../../deploy/local", import.meta.url));
  await cp(local, join(root, "deploy", "local"), { recursive: true });
  await mkdir(join(root, "node_modules"));
  for (const lockfile of ["package-lock.json", "node_modules/.package-lock.json"]) {
    await writeFile(join(root, lockfile), '{"packages":{}}');
  }
  await mkdir(join(root, "dist", "deploy", "demo"), { recursive: true });
  await writeFile(join(root, "dist", "package.json"), '{"type":"module"}');
  await writeFile(join(root, "dist", "deploy", "demo", "main.js"), SERVICE);
  await writeFile(join(root, "dist", ".built"), "");
  const later = new Date(Date.now() + 3_600_000);
  await utimes(join(root, "dist", ".built"), later, later);
});

async function start(...flags: string[]): Promise<{ starter: ChildProcess; announced: Announcement }> {
  const { REDIS_URL: _, ...environment } = process.env;
  const starter = spawn(process.execPath, [join(root, "deploy", "local", "start.mjs"), ...flags], {
    stdio: ["ignore", "pipe", "ignore"],
    env: environment,
  });
  starters.push(starter);
  assert.ok(starter.stdout !== null);
  const [line] = await once(createInterface(starter.stdout), "line");
  return { starter, announced: JSON.parse(String(line)) };
}

async function exitCode(starter: ChildProcess): Promise<number | null> {
  if (starter.exitCode === null) await once(starter, "exit");
  return starter.exitCode;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A killed process stays visible until its parent has noticed. */
async function ended(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

const redisAnswers = async (url: string): Promise<boolean> => {
  const local = new URL("../../../../deploy/local/redis.mjs", import.meta.url);
  const { answersPing } = (await import(local.href)) as { answersPing(port: number): Promise<boolean> };
  return answersPing(Number(new URL(url).port));
};

test("a signal ends the service, what it started, and Redis", { timeout: 30_000 }, async () => {
  const { starter, announced } = await start("--port", "3001");
  assert.deepEqual(announced.arguments, ["--port", "3001"]);
  assert.equal(await redisAnswers(announced.redis), true);
  starter.kill("SIGTERM");
  assert.equal(await exitCode(starter), 0);
  await ended(announced.helper);
  assert.equal(await redisAnswers(announced.redis), false);
});

test("a crash of the service ends the rest and passes its exit code on", { timeout: 30_000 }, async () => {
  const { starter, announced } = await start("--crash");
  assert.equal(await exitCode(starter), 3);
  await ended(announced.helper);
  assert.equal(await redisAnswers(announced.redis), false);
});

test("a start after kill -9 ends the orphan and takes its Redis over", { timeout: 30_000 }, async () => {
  const first = await start();
  first.starter.kill("SIGKILL");
  await exitCode(first.starter);
  assert.equal(await redisAnswers(first.announced.redis), true);
  const second = await start();
  assert.equal(second.announced.redis, first.announced.redis);
  await ended(first.announced.service);
  await ended(first.announced.helper);
  second.starter.kill("SIGTERM");
  assert.equal(await exitCode(second.starter), 0);
  assert.equal(await redisAnswers(second.announced.redis), false);
});

test("a second start beside a running one is refused", { timeout: 30_000 }, async () => {
  const { starter } = await start();
  const refused = spawn(process.execPath, [join(root, "deploy", "local", "start.mjs")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  assert.ok(refused.stderr !== null);
  const [line] = await once(createInterface(refused.stderr), "line");
  assert.match(String(line), /running already \(process \d+\)/);
  assert.equal(await exitCode(refused), 1);
  starter.kill("SIGTERM");
  assert.equal(await exitCode(starter), 0);
});
