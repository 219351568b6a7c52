import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { type PreparedData, prepareData } from "../../deploy/data/prepare-data.ts";
import { replay } from "../../deploy/replay/replay.ts";
import { type JobContext, openContext } from "../../jobs/context.ts";
import type { Decision } from "../../models/gate/decision.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import { eventually } from "../support/eventually.ts";
import { patiently } from "../support/patiently.ts";
import { type Service, startService } from "../support/service.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2018, 0, 1);
const CUT = START + 60 * DAY_MS;
const SERIES = 8;
const FILMS = 12;
const POPULAR = 20;
const PAST_USERS = 160;
/** On a busy machine a wave may pass by without a mixed list; one of the later ones does not. */
const WAVES = [50, 40, 40, 40, 40];

/** Limits that a few hundred users and a busy machine can meet; what is proven is promoted at once. */
const POLICY = {
  promotion: { automatic: true },
  screen: { minimumUsers: 10 },
  shadow: { attributionDays: 1, panelDays: 1, minimumUsers: 20, timeoutMs: 10_000 },
  interleaving: { share: 1, minimumUsers: 30 },
  guardrails: { failureRate: 0.05, latencyBudgetMs: 10_000, latencyNegligibleMs: 10_000 },
  schedule: { judgeEverySeconds: 3600 },
};

interface Recorded {
  readonly rows: readonly string[];
  /** First event after the cut, and after each wave of users. */
  readonly past: number;
  readonly ends: readonly number[];
}

/**
 * In the past everybody watched one series through and some popular films. Then users come in waves who have
 * begun a series: two films of it, one popular film, and so on. A neighbour model knows the series, popularity the
 * rest. After each wave time passes, so that every window closes.
 */
function recorded(): Recorded {
  const rows: { user: string; item: string; at: number }[] = [];
  const film = (user: number, place: number): string => `s${user % SERIES}-${place}`;
  for (let user = 0; user < PAST_USERS; user++) {
    const popular = Array.from({ length: 10 + (user % 10) }, (_, place) => `p${place}`);
    const series = Array.from({ length: FILMS }, (_, place) => film(user, place));
    [...popular, ...series].forEach((item, place) => {
      rows.push({ user: `past${user}`, item, at: START + (user * 60 + place) * 60_000 });
    });
  }
  const users = WAVES.reduce((sum, size) => sum + size, 0);
  for (let user = 0; user < users; user++) {
    ["p0", ...[0, 1, 2].map((place) => film(user, place))].forEach((item, place) => {
      rows.push({ user: `u${user}`, item, at: CUT - 2 * DAY_MS + (user * 4 + place) * 60_000 });
    });
  }
  const past = rows.length;
  const ends: number[] = [];
  let first = 0;
  WAVES.forEach((size, wave) => {
    const from = CUT + (1 + 5 * wave) * DAY_MS;
    for (let round = 0; round < 9; round++) {
      for (let user = first; user < first + size; user++) {
        const third = Math.floor(round / 3);
        const item = round % 3 === 2 ? `p${1 + third}` : film(user, 3 + round - third);
        rows.push({ user: `u${user}`, item, at: from + (round * size + user - first) * 10_000 });
      }
    }
    first += size;
    rows.push({ user: "clock", item: `p${POPULAR - 1 - wave}`, at: from + 3 * DAY_MS });
    ends.push(rows.length);
  });
  const lines = rows.map(({ user, item, at }) => `${user},${item},4,${at / 1000}`);
  return { rows: lines, past, ends };
}

const { rows, past, ends } = recorded();

/** A service with the popularity list live, and the past imported. */
async function startWorld(policy: object) {
  const service = await startService(policy);
  const dataFolder = join(service.home, "recorded.csv");
  await writeFile(dataFolder, `userId,itemId,rating,timestamp\n${rows.join("\n")}\n`);
  const data = await prepareData(
    { ...service.config, dataFolder },
    { cut: past / rows.length, say: () => {} },
  );
  assert.equal(data.cutAt, past);
  const context = await openContext({ ...service.config, logLevel: "silent" });
  const { url } = await service.startApi();
  await service.startWorker();
  const api = apiClient(url, service.key);
  const producers = createProducers(service.config, () => {});
  return { service, dataFolder, data, context, producers, url, api };
}

describe("a replay", () => {
  let service: Service;
  let dataFolder: string;
  let data: PreparedData;
  let context: JobContext;
  let producers: JobProducers;
  let url: string;
  let api: ApiClient;
  let popularity: string;

  const train = async (words: readonly string[]): Promise<{ version: string; state: string }> => {
    const { code, stdout, stderr } = await service.cli(["train", ...words, "--json"], url);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).result;
  };
  const lastDecision = async (challenger: string): Promise<Decision> =>
    (await context.decisions.list({ challenger, limit: 1 }))[0];
  /** The judge looks, again and again, until what it found is so. */
  const judgedUntil = (holds: () => Promise<boolean>, what: string): Promise<void> =>
    eventually(
      async () => {
        const jobId = await producers.addJudge({ kind: "judge", record: true }, Date.now()).catch(() => null);
        if (jobId === null) return false;
        const job = () => patiently(() => producers.job(jobId));
        await eventually(async () => (await job())?.state === "completed", "a look");
        return holds();
      },
      what,
      60_000,
    );
  const usersThrough = (wave: number): number =>
    WAVES.slice(0, wave + 1).reduce((sum, size) => sum + size, 0);
  const playThrough = (end: number, from: number, listDriven: boolean) => {
    const log = { ...data.log, timestamps: data.log.timestamps.slice(0, end) };
    return replay({ url, key: service.key, log, from, eventsPerSecond: 0, listDriven });
  };
  const liveVersion = async (): Promise<string | undefined> => (await context.registry.live())?.version;
  const begin = async (policy: object): Promise<void> => {
    ({ service, dataFolder, data, context, producers, url, api } = await startWorld(policy));
    ({ version: popularity } = await train(["--phase", "1", "--recipe", "popularity"]));
    await api.post(`/models/${popularity}/promote`, { expectedLive: null, reason: "the floor" });
  };
  const end = async (): Promise<void> => {
    await producers.close();
    await context.close();
    await service.stop();
  };

  describe("with the live model as its own challenger", () => {
    before(() => begin(POLICY));
    after(end);

    it("finds every user's lists the same, and promotes nothing", async () => {
      const { version: twin, state } = await train(["--phase", "1", "--recipe", "popularity", "--seed", "2"]);
      assert.notEqual(twin, popularity);
      assert.equal(state, "SHADOWING");
      const { hearing } = await lastDecision(twin);
      assert.ok(hearing.about === "screen" && hearing.evidence.users.length > 0);
      assert.ok(
        hearing.evidence.users.every(({ difference }) => difference === 0),
        "another seed, the same requests",
      );
      const done = await playThrough(rows.length, past, false);
      assert.deepEqual([done.failures, done.listDriven], [0, 0]);
      const [attempt] = await context.shadowLog.openAttempts();
      const judgedUsers = () => context.shadowLog.users(attempt);
      const users = usersThrough(WAVES.length);
      await judgedUntil(async () => (await judgedUsers()).length >= users, "every window has closed");
      const judged = await judgedUsers();
      assert.ok(judged.some(({ baseline }) => baseline > 0));
      assert.ok(judged.every(({ challenger, baseline }) => challenger === baseline));
      assert.equal((await context.registry.version(twin))?.state, "SHADOWING");
      assert.equal(await liveVersion(), popularity);
      assert.equal((await context.registry.live())?.epoch, 1);
    });
  });

  describe("whose users choose from the lists they were shown", () => {
    before(() => begin(POLICY));
    after(end);

    it("takes the decision away from the shadow, and lets interleaving promote what users choose", async () => {
      const { version: knn, state } = await train(["--phase", "2", "--recipe", "item-knn"]);
      assert.equal(state, "SHADOWING");
      const shown = await playThrough(ends[0], past, true);
      assert.equal(shown.failures, 0);
      assert.ok(shown.listDriven > 0.2 * shown.played, `${shown.listDriven} of ${shown.played}`);
      await judgedUntil(
        async () => (await context.interleaving.open())?.challenger === knn,
        "only interleaving may decide, and has begun",
      );
      const held = await lastDecision(knn);
      assert.ok(held.ruling.reasons.includes("EXPOSURE_BIAS"), held.sentence);
      assert.equal(await liveVersion(), popularity, "however clear the lift in the shadow");
      await eventually(async () => {
        const { interleavedWith } = await api.get<{ interleavedWith?: string }>("/recommend?userId=onlooker");
        return interleavedWith === knn;
      }, "the challenger is mixed in");

      const [attempt] = await context.shadowLog.openAttempts();
      for (let wave = 1; (await liveVersion()) !== knn; wave++) {
        assert.ok(wave < WAVES.length, (await lastDecision(knn)).sentence);
        assert.equal((await playThrough(ends[wave], ends[wave - 1], true)).failures, 0);
        await judgedUntil(
          async () =>
            (await liveVersion()) === knn ||
            (await context.shadowLog.users(attempt)).length >= usersThrough(wave),
          "every window of the wave has closed, or it is promoted before",
        );
      }
      const { ruling, hearing, sentence } = await lastDecision(knn);
      assert.ok(hearing.about === "shadow" && "stage" in ruling);
      assert.deepEqual([ruling.verdict, ruling.stage], ["pass", "interleaving"], sentence);
      assert.ok((hearing.evidence.interleaving?.length ?? 0) >= POLICY.interleaving.minimumUsers);
      assert.equal(ruling.test?.alpha, 0.0125);

      // What has been told is told once, whatever list it is said to come from now.
      const words = ["replay", "--data", dataFolder, "--from", String(past / rows.length), "--url", url];
      const { code, stdout } = await service.cli([...words, "--list-driven", "--json"], url);
      assert.equal(code, 0, stdout);
      const { played, failures } = JSON.parse(stdout);
      assert.deepEqual([played, failures], [rows.length - past, 0]);
    });
  });
});
