/*
 * node dist/tests/support/earlier-home/write-home.js CHECKOUT FILE
 *
 * Writes a small home with the processes of another checkout, which must be built, and packs it into FILE: how
 * tests/fixtures/home-0.1.json.gz was made, by a worktree of the commit that the file names. It drives that version
 * through its command line alone, so it can write the home of any version, this one too, once it is an earlier one.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { syntheticData } from "../../../models/data/synthetic.ts";
import { eventually } from "../eventually.ts";
import { startRedis } from "../redis.ts";
import { csvRows } from "../small-data.ts";
import { packHome } from "./earlier-home.ts";

/** No secret: the same for every home that this writes. */
const ADMIN_KEY = "a key for tests only";
/** Nothing is promoted by itself, and nothing runs by the clock, so that the home is what the steps below make it. */
const POLICY = {
  formatVersion: 1,
  screen: { minimumUsers: 10 },
  shadow: { minimumUsers: 10, requestsPerUser: 3, attributionDays: 1 },
  guardrails: { latencyBudgetMs: 10_000, latencyNegligibleMs: 10_000, failureRate: 0.2 },
  rollback: { watchUsers: 10_000 },
  training: { trials: 3, analysisSeconds: 5 },
  schedule: {
    judgeEverySeconds: 360_000_000,
    compactEveryHours: 100_000,
    retrainEveryHours: 100_000,
    driftEveryHours: 100_000,
  },
};
const RECORDED = { seed: 11, users: 160, items: 60, events: 3200 };
/** Shares of the events. Each file begins with the first, since a replayed event is named after its place. */
const PARTS = {
  past: { from: 0, through: 0.6 },
  first: { from: 0.6, through: 0.68 },
  second: { from: 0.68, through: 0.8 },
  third: { from: 0.8, through: 0.9 },
  fourth: { from: 0.9, through: 1 },
};
const SASREC = { embeddingSize: 8, blocks: 1, maxLength: 8, epochs: 2, patience: 0 };

const [checkout, target] = process.argv.slice(2);
if (target === undefined) throw new Error("expected CHECKOUT FILE: a built checkout, and the file to write");

const redis = await startRedis();
const client = new Redis(redis.url);
const home = await mkdtemp(join(tmpdir(), "phasewise-earlier-"));
const recorded = await mkdtemp(join(tmpdir(), "phasewise-recorded-"));
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  REDIS_URL: redis.url,
  PHASEWISE_HOME: home,
  PHASEWISE_POLICY: join(home, "policy.json"),
  PHASEWISE_THREADS: "1",
  PORT: "0",
};
const running: { stop(): Promise<void> }[] = [];

async function start(entry: string, ready: string): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [join(checkout, "dist", entry)], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.push({
    stop: async () => {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  });
  const lines = createInterface({ input: child.stderr });
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const entry = line.startsWith("{") ? JSON.parse(line) : {};
      if (entry.msg === ready) resolve(entry);
    });
    lines.once("close", () => reject(new Error(`${entry}: expected "${ready}" in its log, got its end`)));
  });
}

/** Exit code 2 or 3 says that something is held or refused, which is an answer. */
function cli(...words: string[]): unknown {
  const args = [join(checkout, "dist/deploy/cli/main.js"), ...words, "--json"];
  try {
    return JSON.parse(execFileSync(process.execPath, args, { env: environment, encoding: "utf8" }));
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    if (stdout.trim() === "") throw new Error(`${words.join(" ")}: ${stderr}`);
    return JSON.parse(stdout);
  }
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function train(phase: number, recipe: string, ...more: string[]): string {
  const { result } = cli("train", "--phase", String(phase), "--recipe", recipe, ...more) as {
    result: { version: string; state: string; reason: string };
  };
  say(`${result.version}: ${result.state}, ${result.reason}`);
  return result.version;
}

function promote(version: string, expectedLive: string, ...more: string[]): void {
  cli("promote", version, "--expected-live", expectedLive, "--reason", "a step of an earlier home", ...more);
}

/** Plays a part of what was recorded, until the shadow has worked it off, and lets the gate look at it. */
async function traffic(part: keyof typeof PARTS): Promise<void> {
  const { from, through } = PARTS[part];
  const words = ["--data", join(recorded, part), "--from", String(from / through)];
  const { played, failures } = cli("replay", ...words) as { played: number; failures: number };
  const counts = ["wait", "active", "delayed"].map((state) => `bull:phasewise-shadow:${state}`);
  await eventually(async () => {
    const types = await Promise.all(counts.map((key) => client.type(key)));
    const left = await Promise.all(
      counts.map((key, index) => (types[index] === "zset" ? client.zcard(key) : client.llen(key))),
    );
    return left.every((count) => count === 0);
  }, "the shadow is idle");
  const judgements = cli("shadow", "--record") as { sentence: string; about: string; users: number }[];
  say(`${part}: ${played} played, ${failures} failed`);
  for (const { about, users, sentence } of judgements) say(`  ${about}, ${users} users: ${sentence}`);
}

async function writeRecorded(): Promise<void> {
  const { log, catalogue } = syntheticData(RECORDED);
  const rows = csvRows(log).split("\n");
  const films = [...catalogue].map(([item, { title, genres }]) => `${item},"${title}",${genres.join("|")}`);
  for (const [part, { through }] of Object.entries(PARTS)) {
    const own = rows.slice(0, through * rows.length);
    await mkdir(join(recorded, part));
    const ratings = `userId,movieId,rating,timestamp\n${own.join("\n")}\n`;
    await writeFile(join(recorded, part, "ratings.csv"), ratings);
    await writeFile(join(recorded, part, "movies.csv"), `movieId,title,genres\n${films.join("\n")}\n`);
  }
}

try {
  await writeRecorded();
  await writeFile(join(home, "policy.json"), JSON.stringify(POLICY, null, 2));
  await writeFile(join(home, "admin-key"), `${ADMIN_KEY}\n`, { mode: 0o600 });
  cli("import", "--data", join(recorded, "past"));
  const { url } = await start("services/serving/server.js", "listening");
  environment.PORT = new URL(String(url)).port;
  await start("jobs/worker.js", "worker ready");

  const floor = train(1, "popularity");
  promote(floor, "none");
  const lately = train(1, "popular-lately", "--tune");
  const neighbours = train(2, "item-knn", "--analyse");
  await traffic("first");
  promote(lately, floor, "--force");
  cli("rollback", "--expected-live", lately, "--reason", "a step of an earlier home");
  promote(neighbours, floor, "--force");
  cli("shadow", "--record");
  const factors = train(3, "als", "--params", JSON.stringify({ embeddingSize: 8 }));
  train(2, "ease");
  train(4, "sasrec", "--params", JSON.stringify(SASREC));
  await traffic("second");
  cli("compact");
  await traffic("third");
  promote(factors, neighbours, "--canary", "0.4", "--force");
  cli("shadow", "--record");
  await traffic("fourth");
  await eventually(
    async () => (await client.llen("bull:phasewise-analysis:active")) === 0,
    "no analysis runs",
    120_000,
  );
  for (const { stop } of running.splice(0)) await stop();

  const commit = execFileSync("git", ["-C", checkout, "rev-parse", "HEAD"], { encoding: "utf8" }).trim();
  const packed = await packHome(commit, home, client);
  await writeFile(target, packed);
  say(`${target}: ${packed.length} bytes`);
} finally {
  for (const { stop } of running) await stop();
  client.disconnect();
  await redis.stop();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
  await rm(recorded, { recursive: true, force: true });
}
