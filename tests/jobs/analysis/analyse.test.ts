import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import Type from "typebox";
import { analyse } from "../../../jobs/analysis/analyse.ts";
import { askForAnalysis } from "../../../jobs/training/ask-for-analysis.ts";
import { retrain } from "../../../jobs/training/retrain.ts";
import type { Findings } from "../../../models/card/findings.ts";
import { itemId } from "../../../models/data/ids.ts";
import type { Catalogue, InteractionLog } from "../../../models/data/interaction-log.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { recipeNamed, registerRecipe } from "../../../models/phases.ts";
import type { NamedArrays, Params, Recipe, TypedArray } from "../../../models/recipe.ts";
import { writeSnapshot } from "../../../services/interactions/snapshot.ts";
import { createProducers } from "../../../services/queues/producers.ts";
import { logOf } from "../../support/interaction-logs.ts";
import { recipeOf } from "../../support/planted-recipes.ts";
import { CATALOGUE, CUT, DAY_MS, type JobRig, startJobRig, trainingLog, zipfDraw } from "../rig.ts";

const REPORT = { epochs: 1, losses: [], stillImproving: false, backend: "javascript" };

/** A recipe of phase 2 without parameters, for this process only. */
function plant(name: string, fit: Recipe["fit"], scorer: Recipe["scorer"]): void {
  const schema = Type.Object({}, { additionalProperties: false });
  registerRecipe({
    name,
    phase: 2,
    summary: "for tests",
    schema,
    defaults: {},
    space: {},
    fit,
    scorer,
  });
}

function vector(data: TypedArray): NamedArrays[string] {
  return { shape: [data.length], data };
}

/** Knows each item's holdout interactions: the "year" of the planted catalogue. */
plant(
  "planted-peeking",
  async ({ interactions, catalogue }) => {
    const years = interactions.items.ids.map((id) => catalogue.get(id)?.year ?? 0);
    return { arrays: { future: vector(Float32Array.from(years)) }, report: REPORT };
  },
  (arrays) => ({ scoreItems: () => arrays.future.data as Float32Array }),
);

/** Learns every training row by heart, and has the sign of popularity wrong for everybody else. */
plant(
  "planted-memoriser",
  async ({ interactions: { rowStarts, columns, items } }) => {
    const unpopular = new Float32Array(items.size);
    for (const item of columns) unpopular[item]--;
    return {
      arrays: { starts: vector(rowStarts), rows: vector(columns.slice()), unpopular: vector(unpopular) },
      report: REPORT,
    };
  },
  (arrays) => {
    const { starts, rows, unpopular } = arrays;
    const scores = new Float32Array(unpopular.data.length);
    return {
      scoreItems: ({ items }) => {
        scores.set(unpopular.data as Float32Array);
        for (let row = 0; row + 1 < starts.data.length; row++) {
          const known = rows.data.subarray(starts.data[row], starts.data[row + 1]);
          if (!items.every((item, place) => known[place] === item)) continue;
          for (const [place, item] of known.entries()) scores[item] = 1000 - place;
        }
        return scores;
      },
    };
  },
);

/** Of the films that a user of some taste likes, any follows any. */
function tastes(users: number, groups: number, itemsAGroup: number, eventsAUser: number): InteractionLog {
  const random = seededRandom(3);
  const events = Array.from({ length: users * eventsAUser }, (_, event) => {
    const user = Math.floor(random.next() * users);
    const group = user % groups;
    return { user: `u${user}`, item: `g${group}-${random.integer(itemsAGroup)}`, at: CUT + event * 60_000 };
  });
  return logOf(events);
}

/** What was in fashion is out when the holdout begins. */
function fashion(): { log: InteractionLog; catalogue: Catalogue } {
  const { length } = trainingLog().timestamps;
  const random = seededRandom(5);
  const future = new Map<string, number>();
  const events = Array.from({ length }, (_, event) => {
    const late = event >= 0.8 * length;
    const drawn = zipfDraw(() => random.next());
    const item = `i${late ? 40 - drawn : drawn + 1}`;
    if (late) future.set(item, (future.get(item) ?? 0) + 1);
    return { user: `u${Math.floor(event / 10)}`, item, at: CUT - 100 * DAY_MS + event * 60_000 };
  });
  const catalogue = new Map(
    [...CATALOGUE].map(([id, info]) => [itemId(id), { ...info, year: future.get(id) ?? 0 }]),
  );
  return { log: logOf(events), catalogue };
}

describe("a version explained", () => {
  let rig: JobRig;

  before(async () => {
    rig = await startJobRig({ screen: { minimumUsers: 10 } });
  });
  after(() => rig.stop());

  const train = (recipe: string, params: Params = {}) =>
    retrain(rig.context, { phase: recipeNamed(recipe).phase, recipe, params, seed: 1, requestedBy: "tests" });

  /** Trains baseline and challenger on a data set through the real jobs, and analyses the challenger. */
  const explained = async (
    data: { log: InteractionLog; catalogue?: Catalogue },
    challenger: readonly [string, Params?],
    baseline: readonly [string, Params?] = ["popularity"],
  ): Promise<Findings> => {
    await writeSnapshot(data.log, data.catalogue ?? new Map(), rig.context.stores.snapshot);
    const live = await rig.context.registry.live();
    const { version } = await train(...baseline);
    if (live?.version !== version) {
      await rig.context.registry.promote({
        version,
        expectedLive: live?.version ?? null,
        reason: "tests",
        actor: "tests",
        force: true,
      });
    }
    const { version: trained } = await train(...challenger);
    return analyse(rig.context, { version: trained, budgetSeconds: 600 });
  };

  it("looks like a leak when the shuffled-label control still knows the future", async () => {
    const findings = await explained(fashion(), ["planted-peeking"]);
    assert.equal(findings.diagnosis.diagnosis, "leak-or-bug", JSON.stringify(findings.diagnosis));
    assert.match(findings.diagnosis.evidence.join(), /fitted on shuffled labels it scores/);
  });

  it("looks like a bug when it shines on its training moments and loses to popularity later", async () => {
    const findings = await explained({ log: trainingLog() }, ["planted-memoriser"]);
    assert.equal(findings.diagnosis.diagnosis, "leak-or-bug", JSON.stringify(findings.diagnosis));
    assert.match(
      findings.diagnosis.evidence.join(),
      /on moments it was trained on but .* below popularity's/,
    );
  });

  it("looks like a bug when items already seen come back", async () => {
    const seen = recipeNamed(recipeOf("seen")) as { -readonly [key in keyof Recipe]: Recipe[key] };
    seen.fit = async ({ interactions }) => ({
      arrays: { zeros: vector(new Float32Array(interactions.items.size)) },
      report: REPORT,
    });
    const findings = await explained({ log: trainingLog() }, [seen.name]);
    assert.equal(findings.diagnosis.diagnosis, "leak-or-bug", JSON.stringify(findings.diagnosis));
    assert.match(findings.diagnosis.evidence[0], /lists held an item of the user's own history/);
  });

  it("looks under-trained when it stopped while the loss was falling, and longer training helps", async () => {
    const log = tastes(300, 12, 20, 12);
    const small = { embeddingSize: 4 };
    const findings = await explained(
      { log },
      ["als", { ...small, epochs: 1 }],
      ["als", { ...small, epochs: 12 }],
    );
    assert.equal(findings.diagnosis.diagnosis, "under-trained", JSON.stringify(findings.diagnosis));
    assert.match(findings.diagnosis.evidence.join(), /twice the epochs bring/);
  });

  it("looks like too little data where there is structure and too few users to see it", async () => {
    const log = tastes(90, 6, 40, 16);
    const findings = await explained({ log }, ["item-knn"], ["als"]);
    assert.equal(findings.diagnosis.diagnosis, "too-little-data", JSON.stringify(findings.diagnosis));
    assert.match(findings.learningCurve?.answer ?? "", /^More data would help: /);
  });

  it("finds no signal where everybody draws from one urn", async () => {
    const findings = await explained({ log: trainingLog() }, ["als"]);
    assert.equal(findings.diagnosis.diagnosis, "no-signal", JSON.stringify(findings.diagnosis));
    const { levers, omitted, agreement } = findings;
    assert.ok(agreement !== undefined && agreement.users > 30);
    assert.ok(agreement.overlap.mean > 0 && agreement.overlap.mean < 1, `${agreement.overlap.mean}`);
    assert.deepEqual(omitted, []);
    assert.deepEqual(
      levers?.levers.map(({ name }) => name),
      ["recent history", "fading interactions", "rating confidence", "genres and years"],
    );
    assert.deepEqual(await rig.context.findings.get(findings.version), findings);
  });

  it("measures on the data it was trained on, whatever has happened since, and fits nothing twice", async () => {
    const findings = await explained({ log: trainingLog() }, ["item-knn"]);
    await rig.traffic(5);
    const recipe = recipeNamed("item-knn") as { fit: Recipe["fit"] };
    const { fit } = recipe;
    recipe.fit = () => Promise.reject(new Error("fitted again"));
    try {
      const again = await analyse(rig.context, { version: findings.version, budgetSeconds: 600 });
      const { manifest } = await rig.context.artifacts.manifest(findings.version);
      assert.equal(again.dataSha256, manifest.data.sha256);
      assert.deepEqual(again.evidence, findings.evidence);
    } finally {
      recipe.fit = fit;
    }
  });

  it("is asked for when a version does not pay or somebody wants to know, never for the rest", async () => {
    const producers = createProducers({ redisUrl: rig.redis.url }, () => {});
    const payload = { phase: 2, recipe: "item-knn", seed: 1, requestedBy: "tests" } as const;
    const result = { phase: 2, recipe: "item-knn", ndcg: 0.1, reason: "", forecast: null };
    const asked = async (version: string, state: string, lift: number | null, analyse = false) => {
      const { analysis } = await producers.pending();
      await askForAnalysis(rig.context, { ...payload, analyse }, { ...result, version, state, lift });
      return (await producers.pending()).analysis - analysis;
    };
    try {
      assert.equal(await asked("item-knn-a", "REJECTED", 0.001), 1);
      assert.equal(await asked("item-knn-b", "SHADOWING", -0.001), 1);
      assert.equal(await asked("item-knn-b", "SHADOWING", -0.001), 0);
      assert.equal(await asked("item-knn-c", "SHADOWING", 0.001), 0);
      assert.equal(await asked("item-knn-c", "SHADOWING", 0.001, true), 1);
      assert.equal(await asked("item-knn-d", "LIVE", 0), 0);
      assert.equal(await asked("popularity-a", "REGISTERED", null), 0);
      const context = await rig.contextUnder({ training: { analysisSeconds: 0 } });
      await askForAnalysis(context, payload, {
        ...result,
        version: "item-knn-e",
        state: "REJECTED",
        lift: -1,
      });
      assert.equal((await producers.pending()).analysis, 3);
    } finally {
      await producers.close();
    }
  });

  it("leaves out what its budget does not cover, says so, and explains with the rest", async () => {
    const { version } = await train("als", { embeddingSize: 8 });
    const findings = await analyse(rig.context, { version, budgetSeconds: 1e-9 });
    assert.equal(findings.omitted.length, 5);
    assert.match(findings.omitted[0], /^Shuffled-label control: expected to take about 1 s, 0 s were left/);
    assert.equal(findings.levers, null);
    assert.notEqual(findings.diagnosis.diagnosis, null);
  });
});
