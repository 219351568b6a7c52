import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import { replay } from "../../deploy/replay/replay.ts";
import { type JobContext, openContext } from "../../jobs/context.ts";
import { screen } from "../../jobs/judging/screen.ts";
import type { Manifest } from "../../models/artifact/manifest.ts";
import { itemId, userId } from "../../models/data/ids.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { noFaults } from "../../models/evaluation/list-faults.ts";
import type { ReasonCode } from "../../models/gate/reasons.ts";
import type { Model } from "../../models/model.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import { eventually } from "../support/eventually.ts";
import { manifestOf } from "../support/manifest.ts";
import {
  DEFECTS as ALL_DEFECTS,
  CONSTANTS,
  type Defect,
  FILMS,
  POPULAR,
  plantedModel,
  recipeOf,
  SERIES,
} from "../support/planted-recipes.ts";
import { type Service, startService } from "../support/service.ts";

/** One that fills its heap is slow before it ends, so that its reason is a matter of chance. */
const DEFECTS = ALL_DEFECTS.filter((defect) => defect !== "hoard");

const EXPECTED: Readonly<Record<Exclude<Defect, "none" | "hoard">, ReasonCode>> = {
  nan: "NON_FINITE_SCORE",
  empty: "EMPTY_LIST",
  short: "SHORT_LIST",
  duplicate: "DUPLICATE_ITEM",
  seen: "SEEN_ITEM",
  unsteady: "TWO_ANSWERS",
  error: "FAILURE_RATE",
  slow: "LATENCY",
  hang: "FAILURE_RATE",
  constant: "COVERAGE",
  "late-data": "TRAINED_PAST_CUT",
  leak: "MEMORY",
};

const POLICY = {
  promotion: { automatic: true },
  shadow: { minimumUsers: 100, maximumChallengers: DEFECTS.length, timeoutMs: 1000 },
  guardrails: {
    // Far above what a list of 300 items takes, well below the planted slowness.
    latencyNegligibleMs: 30,
    latencyBudgetMs: 35,
    // Provable from half of the requests: on a busy machine some histories come too late to be asked again.
    failureRate: 0.002,
    memoryMb: 100,
  },
  schedule: { judgeEverySeconds: 1 },
};

const USERS = 160;
const EVENTS_EACH = 20;
const DAY_MS = 86_400_000;
const START = Date.UTC(2018, 0, 1);
const CUT = START + 10 * DAY_MS;

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const items = new Vocabulary(
  [
    ...named("s", SERIES).flatMap((series) => named(`${series}-`, FILMS)),
    ...named("z", CONSTANTS),
    ...named("p", POPULAR),
  ].map(itemId),
);
const floor = Float32Array.from(items.ids, (item) =>
  item.startsWith("p") ? 1 + POPULAR - Number(item.slice(1)) : 0,
);

/** A past of some popular films and the start of a series; a future that goes on with it and takes in what is new. */
function recordedRows(): { rows: string[]; past: number } {
  const row = (user: number, item: string, at: number): string => `u${user},${item},4,${at / 1000}`;
  const rows: string[] = [];
  for (let user = 0; user < USERS; user++) {
    const watched = [...named("p", 2 + (user % 30)), ...named(`s${user % SERIES}-`, 3)];
    watched.forEach((item, place) => {
      rows.push(row(user, item, START + (user * 60 + place) * 60_000));
    });
  }
  const past = rows.length;
  for (let event = 0; event < EVENTS_EACH; event++) {
    for (let user = 0; user < USERS; user++) {
      const next =
        event % 4 === 3 ? `z${(event - 3) / 4}` : `s${user % SERIES}-${3 + event - Math.floor(event / 4)}`;
      rows.push(row(user, next, CUT + (event * USERS + user) * 10_000));
    }
  }
  // Everybody's window closes when time has passed.
  rows.push(row(0, "p39", CUT + 30 * DAY_MS));
  return { rows, past };
}

describe("F12: broken challengers, each with a planted gain, in the real shadow", () => {
  let service: Service;
  let context: JobContext;
  let api: ApiClient;
  const versions = new Map<Defect, string>();

  const publish = async (model: Model, through: number): Promise<Manifest> => {
    const { manifest, manifestSha256 } = await context.artifacts.write(model, (file) => {
      const blank = manifestOf(file.version, model.phase);
      return {
        ...blank,
        ...file,
        recipe: model.recipe,
        data: { ...blank.data, through: new Date(through).toISOString() },
        cost: { ...blank.cost, cpuMsPerRequest: 0.1, relativeCost: 1 },
        items: model.items.size,
      };
    });
    await context.registry.register(manifest, manifestSha256, "tests");
    return manifest;
  };
  /** What the offline evaluation would say of a model with so high an nDCG. */
  const planEvaluation = (manifest: Manifest, ndcg: number): Promise<void> =>
    context.evaluations.put(
      { ...manifest, dataSha256: manifest.data.sha256 },
      {
        summary: { ...manifest.offline, users: 40, ndcg: { mean: ndcg, low: ndcg, high: ndcg } },
        perUser: Array.from({ length: 40 }, (_, user) => ({
          user: userId(`u${user}`),
          cohort: "light",
          requests: 1,
          historyLength: 20,
          novelty: 5,
          diversity: 0.5,
          ndcg: ndcg + (user % 2 === 0 ? 0.05 : -0.05) * ndcg,
        })),
        faults: noFaults(),
        window: { trainedThrough: START, judgedFrom: CUT },
      },
    );

  before(async () => {
    service = await startService(POLICY);
    const { rows, past } = recordedRows();
    const dataFolder = join(service.home, "recorded.csv");
    await writeFile(dataFolder, `userId,itemId,rating,timestamp\n${rows.join("\n")}\n`);
    const config = { ...service.config, dataFolder };
    const data = await prepareData(config, { cut: past / rows.length, say: () => {} });
    assert.equal(data.cutAt, past);
    context = await openContext({ ...service.config, logLevel: "silent" });

    const { url } = await service.startApi();
    api = apiClient(url, service.key);
    const popularity = { shape: [items.size], data: floor };
    const baseline = await publish(
      { phase: 1, recipe: "popularity", params: {}, seed: 1, items, floor, arrays: { popularity } },
      CUT - DAY_MS,
    );
    await planEvaluation(baseline, 0.1);
    const first = { expectedLive: null, reason: "the floor" };
    await api.post<{ live: LivePointer }>(`/models/${baseline.version}/promote`, first);
    for (const defect of DEFECTS) {
      const through = defect === "late-data" ? CUT + DAY_MS : CUT - DAY_MS;
      const manifest = await publish(plantedModel(defect, { items, floor }), through);
      versions.set(defect, manifest.version);
      await planEvaluation(manifest, 0.4);
      const record = await screen(context, manifest.version);
      assert.equal(record.state, "SHADOWING", record.reason);
    }
    await service.startWorker(fileURLToPath(new URL("../support/defect-worker.js", import.meta.url)));
    const done = await replay({ url, key: service.key, log: data.log, from: data.cutAt, eventsPerSecond: 0 });
    assert.equal(done.failures, 0);
  });
  after(async () => {
    await context.close();
    await service.stop();
  });

  const stateOf = async (defect: Defect): Promise<string | undefined> =>
    (await context.registry.version(versions.get(defect) ?? ""))?.state;

  for (const [defect, code] of Object.entries(EXPECTED) as [keyof typeof EXPECTED, ReasonCode][]) {
    it(`rejects the ${defect} one, saying ${code}`, async () => {
      await eventually(async () => (await stateOf(defect)) === "REJECTED", `${defect} is rejected`, 60_000);
      const [last] = await context.decisions.list({ challenger: versions.get(defect), limit: 1 });
      assert.equal(last.ruling.verdict, "reject");
      assert.ok(last.ruling.reasons.includes(code), `${last.ruling.reasons}: ${last.sentence}`);
    });
  }

  it("promotes the one without a defect, and nothing else ever", async () => {
    await eventually(async () => (await stateOf("none")) === "LIVE", "the sound one is promoted", 60_000);
    const moves = (await context.registry.audit()).filter(({ action }) => /promote/.test(action));
    assert.deepEqual(moves.map(({ version }) => version).slice(1), [versions.get("none")]);
    assert.equal(moves.length, 2);
    const reply = await api.get<{ model: { recipe: string } }>("/recommend?userId=u1");
    assert.equal(
      reply.model.recipe,
      "popularity",
      `${recipeOf("none")} is unknown to this API, so it serves on`,
    );
  });
});
