/**
 * What one API process answers, beside a bare Fastify that sends the same bytes, in one run: requests a second, latency,
 * CPU time a request and memory, of each recipe. The service runs with all that it has on; its clients are a process of
 * their own. Run: npm run -s bench:serve -- [--items 10000] [--seconds 5] [--recipes popular-lately,als] [--connections 16]
 * [--shadow 1] [--json FILE]
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { connectRedis } from "../../services/redis.ts";
import { startService } from "../support/service.ts";
import { raiseSyntheticWorld, USERS } from "./synthetic-world.ts";

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "10000" },
    seconds: { type: "string", default: "5" },
    recipes: { type: "string", default: "popular-lately,item-knn,als" },
    connections: { type: "string", default: "16" },
    shadow: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const items = Number(values.items);
/** More than the slowest run asks for, so that a cold history is read once. */
const COLD_USERS = 50_000;
const WARM_UP_SECONDS = "2";

const built = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

interface Figures {
  readonly perSecond: number;
  readonly total: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly non2xx: number;
}

async function drive(url: string, key: string, path: string, seconds: string): Promise<Figures> {
  const words = [built("serve-driver.js"), url, values.connections, seconds, key, path];
  return JSON.parse((await run(process.execPath, words)).stdout) as Figures;
}

/** What a process has used since it began: milliseconds of CPU, and MB now. Linux only. */
async function used(pid: number): Promise<{ readonly cpuMs: number; readonly residentMb: number }> {
  const stat = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1].split(" ");
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return {
    cpuMs: 10 * (Number(stat[11]) + Number(stat[12])),
    residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}

const rows: Record<string, string | number>[] = [];
let helloPerSecond = 0;

async function measure(
  name: string,
  server: ChildProcess,
  url: string,
  key: string,
  path: string,
  warm = true,
) {
  const pid = server.pid ?? 0;
  if (warm) await drive(url, key, path, WARM_UP_SECONDS);
  const before = await used(pid);
  const figures = await drive(url, key, path, values.seconds);
  const after = await used(pid);
  helloPerSecond ||= figures.perSecond;
  rows.push({
    what: name,
    "requests/s": Math.round(figures.perSecond),
    "of hello": `${((100 * figures.perSecond) / helloPerSecond).toFixed(0)} %`,
    "p50 ms": figures.p50,
    "p99 ms": figures.p99,
    "max ms": figures.max,
    "CPU µs": Math.round((1000 * (after.cpuMs - before.cpuMs)) / figures.total),
    "RSS MB": Math.round(after.residentMb),
    "not 2xx": figures.non2xx,
  });
}

/** A bare Fastify that answers every path with these bytes as an object, by a schema. */
async function startHello(body: string): Promise<{ readonly server: ChildProcess; readonly url: string }> {
  const server = spawn(process.execPath, [built("serve-hello.js")], {
    env: { ...process.env, BODY: body },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) return { server, url: line };
  throw new Error("hello-world did not start");
}

for (const [place, recipe] of values.recipes.split(",").entries()) {
  const service = await startService({ shadow: { samplingRate: Number(values.shadow) } });
  const redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
  await raiseSyntheticWorld(service.home, redis, { items, recipe, moreUsers: COLD_USERS });
  redis.disconnect();
  const spawnedAt = performance.now();
  const { url, process: server } = await service.startApi();
  while ((await fetch(`${url}/readyz`)).status !== 200);
  console.error(
    `${recipe}, ${items} items: ready ${Math.round(performance.now() - spawnedAt)} ms after its start`,
  );
  if (place === 0) {
    const headers = { authorization: `Bearer ${service.key}` };
    const body = await (await fetch(`${url}/recommend?userId=u1`, { headers })).text();
    const hello = await startHello(body);
    await measure("hello-world Fastify, the same body", hello.server, hello.url, service.key, "/");
    hello.server.kill();
    await once(hello.server, "exit");
  }
  const ask = (name: string, path: string, warm = true) =>
    measure(`${recipe}: ${name}`, server, url, service.key, path, warm);
  await ask("cold, every history from Redis", `/recommend?userId=c{n:${COLD_USERS}}`, false);
  await ask("warm, stored histories", `/recommend?userId=u{n:${USERS}}`);
  await ask("nobody", "/recommend");
  await service.stop();
}
console.table(rows);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ items, rows }, null, 2)}\n`);
