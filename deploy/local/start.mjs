/** `npm start`: from a fresh clone to the running service, and back to nothing on Ctrl-C. Built-ins only. */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { prepare } from "./prepare.mjs";
import { findRedisServer, provideRedis, REMEDY } from "./redis.mjs";
import { claimRun } from "./run-record.mjs";
import { fail, ROOT } from "./shell.mjs";

/** Longest the service may take to close after a signal. */
const CLOSE_TIMEOUT_MS = 15_000;

prepare();
const redisServer = process.env.REDIS_URL ? null : findRedisServer();
if (!process.env.REDIS_URL && redisServer === null) fail(REMEDY);
/** The registry in Redis and the artifacts it names belong together: one folder holds both. */
const stateFolder = resolve(ROOT, process.env.PHASEWISE_HOME || ".phasewise");
const runRecord = claimRun(stateFolder);
const redis = await redisForRun();
// A group of its own: what it started can be ended with it, also after a crash, and a Ctrl-C in the terminal
// reaches it once, through us.
const service = spawn(
  process.execPath,
  [join(ROOT, "dist", "deploy", "demo", "main.js"), ...process.argv.slice(2)],
  { cwd: ROOT, stdio: "inherit", detached: true, env: { ...process.env, REDIS_URL: redis.url } },
);
runRecord.keep(service.pid);

let closing = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (closing) return killGroup();
    closing = true;
    service.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
    setTimeout(killGroup, CLOSE_TIMEOUT_MS).unref();
  });
}
const code = await new Promise((resolve) => {
  service.once("error", () => resolve(1));
  service.once("exit", (status) => resolve(status ?? (closing ? 130 : 1)));
});
killGroup();
await redis.stop();
runRecord.clear();
process.exit(code);

async function redisForRun() {
  if (redisServer === null) return { url: process.env.REDIS_URL, stop: async () => {} };
  return provideRedis(redisServer, join(stateFolder, "redis")).catch((error) => fail(error.message));
}

/** Ends whatever the service started and left behind. */
function killGroup() {
  try {
    process.kill(-service.pid, "SIGKILL");
  } catch {
    // The group is empty: all of them have ended.
  }
}
