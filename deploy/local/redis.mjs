/**
 * Finds or starts Redis for a local run: REDIS_URL; else a redis-server or valkey-server on PATH, started
 * privately; else one installed with apt or brew; else null and the line to run.
 *
 * A private server listens on a free loopback port, keeps an append-only file under .phasewise/redis and
 * leaves its pid and port in server.json there. After a kill -9 of the parent the next start finds that
 * server alive and takes it over: two servers on one append-only file would destroy it.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { findProgram, isAlive, ROOT, run, say } from "./shell.mjs";

const SERVERS = ["redis-server", "valkey-server"];
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;

export const REMEDY =
  process.platform === "darwin"
    ? "Redis is missing. Run: brew install redis"
    : "Redis is missing. Run: sudo apt-get install -y redis-server   (or set REDIS_URL to a server of yours)";

/** Path of a Redis server, installing one where that needs no password; null when it cannot. */
export function findRedisServer(searchPath = process.env.PATH ?? "", names = SERVERS) {
  const found = findProgram(names, searchPath);
  if (found !== null) return found;
  installRedis(searchPath);
  return findProgram(names, searchPath);
}

function installRedis(searchPath) {
  const brew = findProgram(["brew"], searchPath);
  if (brew !== null) {
    say("Installing Redis (brew install redis) …");
    run(brew, ["install", "redis"]);
    return;
  }
  const apt = findProgram(["apt-get"], searchPath);
  if (apt === null) return;
  const sudo = findProgram(["sudo"], searchPath);
  const root = process.getuid?.() === 0;
  if (!root && (sudo === null || spawnSync(sudo, ["-n", "true"], { stdio: "ignore" }).status !== 0)) return;
  const asRoot = (args) => (root ? run(apt, args) : run(sudo, ["-n", apt, ...args]));
  say("Installing Redis (apt-get install redis-server) …");
  if (asRoot(["install", "-y", "-q", "redis-server"]) !== 0) {
    asRoot(["update", "-q"]);
    asRoot(["install", "-y", "-q", "redis-server"]);
  }
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** One PING over a socket: whether a Redis answers there. */
export function answersPing(port, timeoutMs = 1_000) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.on("error", () => end(false));
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (data) => end(/^\+PONG|^-LOADING/.test(data.toString())));
  });
}

/** @returns {Promise<{url: string, stop: () => Promise<void>}>} `stop` ends a private server only. */
export async function provideRedis(program, folder = join(ROOT, ".phasewise", "redis")) {
  mkdirSync(folder, { recursive: true });
  const record = join(folder, "server.json");
  const left = readRecord(record);
  if (left !== null && isAlive(left.pid) && (await answersPing(left.port))) {
    say(`Taking over the Redis that an interrupted run left on port ${left.port}.`);
    return { url: `redis://127.0.0.1:${left.port}`, stop: () => stopServer(left.pid, record) };
  }
  rmSync(record, { force: true });
  const port = await freePort();
  const log = openSync(join(folder, "redis.log"), "a");
  const flags = ["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"];
  const policy = ["--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--daemonize", "no"];
  // Its own process group: a Ctrl-C in the terminal must reach the service first, which still needs Redis.
  const server = spawn(program, [...flags, ...policy].map(String), {
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  const gone = new Promise((resolve) => {
    server.once("error", resolve);
    server.once("exit", (code) => resolve(new Error(`exit code ${code}`)));
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answersPing(port))) {
    const ended = await Promise.race([gone, pause(50)]);
    if (ended !== undefined || Date.now() > deadline) {
      if (server.pid !== undefined && isAlive(server.pid)) process.kill(server.pid, "SIGKILL");
      throw new Error(
        `${program} did not start (${ended?.message ?? "no answer"}); see ${join(folder, "redis.log")}`,
      );
    }
  }
  writeFileSync(record, JSON.stringify({ pid: server.pid, port }));
  server.unref();
  return { url: `redis://127.0.0.1:${port}`, stop: () => stopServer(server.pid, record) };
}

function readRecord(path) {
  if (!existsSync(path)) return null;
  try {
    const { pid, port } = JSON.parse(readFileSync(path, "utf8"));
    return Number.isInteger(pid) && Number.isInteger(port) ? { pid, port } : null;
  } catch {
    return null;
  }
}

/** SIGTERM lets Redis write out its append-only file. */
async function stopServer(pid, record) {
  if (isAlive(pid)) process.kill(pid, "SIGTERM");
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      process.kill(pid, "SIGKILL");
      break;
    }
    await pause(25);
  }
  rmSync(record, { force: true });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
