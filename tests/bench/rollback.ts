/**
 * How fast three API processes follow a promotion and a rollback while they serve, and what their clients see.
 * A switch is over when each replica's /recommend has named the new version; t = 0 is when the operator asks.
 * Run: npm run bench:rollback [-- rounds] [rounds with a replica deaf to announcements]
 */
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { startService } from "../support/service.ts";
import { raiseSmallLadder } from "../support/small-ladder.ts";
import { deafToAnnouncements, startWire } from "../support/wire.ts";

const ROUNDS = Number(process.argv[2] ?? 1000);
const DEAF_ROUNDS = Number(process.argv[3] ?? 50);
const CLIENTS_PER_REPLICA = 2;

const service = await startService({});
const redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
const registry = redisRegistry(redis);
const ladder = await raiseSmallLadder(service.home, registry);
const wire = await startWire(service.redis.port);
const apis = await Promise.all(
  [{}, {}, { REDIS_URL: wire.url }].map((settings) => service.startApi(settings)),
);
const urls = apis.map(({ url }) => url);
for (const url of urls) while ((await fetch(`${url}/readyz`)).status !== 200);

/** What each replica named last, and who waits for it to name something else. */
const naming = urls.map(() => ({ version: "", arrived: (_version: string): void => {} }));
const statuses = new Map<number, number>();
let loaded = true;
const load = urls.flatMap((url, replica) =>
  Array.from({ length: CLIENTS_PER_REPLICA }, async (_, client) => {
    for (let n = 0; loaded; n++) {
      const reply = await fetch(`${url}/recommend?userId=u${client}-${n % 50}&k=3`);
      const body = (await reply.json()) as { model?: { version: string } };
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      if (body.model === undefined) continue;
      naming[replica].version = body.model.version;
      naming[replica].arrived(body.model.version);
    }
  }),
);

let posts = 0;

/** Each replica in turn, since each limits how often one address may operate it. */
async function post(path: string, body: object): Promise<unknown> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${service.key}` };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const reply = await fetch(`${urls[posts++ % urls.length]}${path}`, init);
  const parsed: unknown = await reply.json();
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${JSON.stringify(parsed)}`);
  return parsed;
}

/** Milliseconds until all replicas name `version`. */
async function timed(version: string, ask: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  const followed = naming.map(
    (replica) =>
      new Promise<number>((resolve) => {
        replica.arrived = (named) => {
          if (named === version) resolve(performance.now() - start);
        };
      }),
  );
  await ask();
  return Math.max(...(await Promise.all(followed)));
}

async function measure(name: string, rounds: number): Promise<void> {
  const promotions: number[] = [];
  const rollbacks: number[] = [];
  let repeats = 0;
  for (let round = 0; round < rounds; round++) {
    const version = await ladder.challenger();
    const reason = `round ${round}`;
    promotions.push(
      await timed(version, () =>
        post(`/models/${version}/promote`, { expectedLive: ladder.floor, reason, force: true }),
      ),
    );
    const back = { expectedLive: version, reason };
    rollbacks.push(await timed(ladder.floor, () => post("/rollback", back)));
    repeats += Number(((await post("/rollback", back)) as { changed: boolean }).changed === false);
  }
  console.log(`${name}: ${rounds} rounds`);
  console.log(`  promotion followed by all three  ${figures(promotions)}`);
  console.log(`  rollback followed by all three   ${figures(rollbacks)}`);
  console.log(`  repeated rollbacks without effect ${repeats} of ${rounds}`);
}

function figures(timesMs: readonly number[]): string {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
  return `p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  most ${at(1)} ms`;
}

await measure("all hear announcements", ROUNDS);
wire.onMessage = deafToAnnouncements;
await measure("one deaf, following by its poll", DEAF_ROUNDS);
loaded = false;
await Promise.all(load);
console.log(`replies by status: ${JSON.stringify(Object.fromEntries(statuses))}`);
console.log(`first broken audit entry: ${await registry.verifyAudit()}`);
redis.disconnect();
await wire.close();
await service.stop();
