/**
 * npm run bench:retrain [-- --events 1000000 --users 20000 --items 5000 --recipes a,b --analyse]
 * Whole trainings through the real job on synthetic data: Redis, queue, worker, child process, split, holdout, artifact,
 * registry, screen. What each took, the peak memory of its process, and what it left in Redis.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openContext } from "../../jobs/context.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import { syntheticData } from "../../models/data/synthetic.ts";
import { RECIPES, recipeNamed } from "../../models/phases.ts";
import { writeCatalogue } from "../../services/interactions/catalogue-file.ts";
import { writeSnapshot } from "../../services/interactions/snapshot.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import type { JobView } from "../../services/queues/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { patiently } from "../support/patiently.ts";
import { startService } from "../support/service.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    users: { type: "string", default: "20000" },
    items: { type: "string", default: "5000" },
    recipes: { type: "string", default: RECIPES.map(({ name }) => name).join(",") },
    analyse: { type: "boolean", default: false },
  },
});
const POLL_MS = 500;

const service = await startService({ training: { analysisSeconds: values.analyse ? 3600 : 0 } });
const producers = createProducers(service.config, () => {});
const context = await openContext({ ...service.config, logLevel: "silent" });
const redis = connectRedis(service.config, "patient", () => {});
try {
  const { log, catalogue } = syntheticData({
    seed: 1,
    users: Number(values.users),
    items: Number(values.items),
    events: Number(values.events),
  });
  await writeSnapshot(log, catalogue, context.stores.snapshot);
  await writeCatalogue(catalogue, context.stores.snapshot);
  console.log(
    `${log.timestamps.length.toLocaleString("en")} events, ${log.users.size.toLocaleString("en")} users, ${log.items.size.toLocaleString("en")} items`,
  );
  print(
    "recipe",
    "nDCG@10",
    "users",
    "requests",
    "job s",
    "fit s",
    "peak MB",
    "model MB",
    "Redis MB",
    "state",
  );
  await service.startWorker();
  for (const name of values.recipes.split(",")) await trainWhole(name);
} finally {
  redis.disconnect();
  await context.close();
  await producers.close();
  await service.stop();
}

async function trainWhole(name: string): Promise<void> {
  const { phase } = recipeNamed(name);
  const start = performance.now();
  const order = { phase, recipe: name, seed: 1, requestedBy: "bench", analyse: values.analyse };
  const job = await ended(producers, await patiently(() => producers.addRetrain(order, Date.now())));
  const seconds = (performance.now() - start) / 1000;
  if (job.state === "failed") {
    print(
      name,
      "–",
      "–",
      "–",
      seconds.toFixed(1),
      "–",
      "–",
      "–",
      await redisMegabytes(),
      job.failedReason ?? "",
    );
    return;
  }
  const { version, state } = job.result as RetrainResult;
  const { offline, cost } = (await context.artifacts.manifest(version)).manifest;
  const live = await context.registry.live();
  if (live === null) {
    await context.registry.promote({
      version,
      expectedLive: null,
      reason: "bench",
      actor: "bench",
      force: true,
    });
  }
  print(
    name,
    offline.ndcg.mean.toFixed(4),
    offline.users,
    offline.requests,
    seconds.toFixed(1),
    cost.fitSeconds.toFixed(1),
    cost.peakMemoryMb.toFixed(0),
    (cost.artifactBytes / 1e6).toFixed(1),
    await redisMegabytes(),
    state,
  );
}

async function ended(of: JobProducers, jobId: string): Promise<JobView> {
  for (;;) {
    const job = await patiently(() => of.job(jobId));
    if (job !== null && (job.state === "completed" || job.state === "failed")) return job;
    await pause(POLL_MS);
  }
}

async function redisMegabytes(): Promise<string> {
  const bytes = /used_memory:(\d+)/.exec(await redis.info("memory"))?.[1] ?? "0";
  return (Number(bytes) / 1e6).toFixed(1);
}

function print(...cells: readonly (string | number)[]): void {
  const [first, ...rest] = cells.map(String);
  console.log(first.padEnd(16) + rest.map((cell) => cell.padStart(10)).join(""));
}
