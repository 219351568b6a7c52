import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { exportModel } from "../../../jobs/export-model.ts";
import { judge } from "../../../jobs/judging/judge.ts";
import { type ImportRequest, importModel } from "../../../jobs/training/import-model.ts";
import { retrain } from "../../../jobs/training/retrain.ts";
import { refresh } from "../../../jobs/upkeep/refresh.ts";
import { trainingSet } from "../../../models/data/interaction-matrix.ts";
import { fitModel } from "../../../models/model.ts";
import { writeSafetensors } from "../../../models/safetensors/safetensors.ts";
import { CATALOGUE, CUT, DAY_MS, ITEM_IDS, type JobRig, startJobRig, trainingLog } from "../rig.ts";

/** Sources are not compiled: the script lies beside them. */
const SCRIPT = fileURLToPath(new URL("../../../../tests/support/foreign-factors.py", import.meta.url));
const withPython = spawnSync("python3", ["--version"]).status === 0 && existsSync(SCRIPT);
const BEFORE_HOLDOUT = new Date(CUT - 60 * DAY_MS).toISOString();

describe("a model that was trained elsewhere", () => {
  let rig: JobRig;
  let items: string;
  let factors: string;
  const request = (more: Partial<ImportRequest> = {}): ImportRequest => ({
    phase: 3,
    recipe: "elsewhere",
    factors,
    items,
    ...more,
  });

  before(async () => {
    rig = await startJobRig();
    items = join(rig.folder, "items.csv");
    factors = join(rig.folder, "factors.safetensors");
    const { model } = await fitModel(
      "als",
      trainingSet(trainingLog(), CATALOGUE),
      { embeddingSize: 8 },
      { seed: 2 },
    );
    await writeFile(items, `itemId\n${model.items.ids.join("\n")}\n`);
    const tensors = new Map([["itemFactors", model.arrays.itemFactors]]);
    await writeFile(factors, writeSafetensors({ tensors, metadata: new Map([["encoder", "fold-in"]]) }));
    const floor = await retrain(rig.context, {
      phase: 1,
      recipe: "popularity",
      seed: 1,
      requestedBy: "tests",
    });
    await rig.context.registry.promote({
      version: floor.version,
      expectedLive: null,
      reason: "tests",
      actor: "tests",
      force: true,
    });
  });
  after(() => rig.stop());

  it("is screened on the holdout when its trainer's last event precedes it", async () => {
    const { record, judgedOffline, ndcg, version } = await importModel(
      rig.context,
      request({ recipe: "in-time", trainedThrough: BEFORE_HOLDOUT }),
    );
    assert.match(version, /^imported-in-time-[0-9a-f]{12}$/);
    assert.ok(judgedOffline && ndcg !== null && ndcg > 0);
    assert.doesNotMatch(record.reason, /Not judged offline/);
    const [decision] = await rig.context.decisions.list({ challenger: version, limit: 1 });
    assert.ok(decision.hearing.about === "screen" && decision.hearing.evidence.users.length > 0);
  });

  it("is not judged on a holdout it may have learned: the shadow alone decides", async () => {
    const { record, judgedOffline, ndcg, version } = await importModel(rig.context, request());
    assert.deepEqual([judgedOffline, ndcg], [false, null]);
    assert.equal(record.state, "SHADOWING");
    const [decision] = await rig.context.decisions.list({ challenger: version, limit: 1 });
    assert.match(decision.sentence, /Not judged offline: .* only the shadow decides/);
    assert.deepEqual(decision.ruling.reasons, ["NOT_JUDGED_OFFLINE", "SCREEN_INCONCLUSIVE"].sort());
    const attempts = await rig.context.shadowLog.openAttempts();
    assert.ok(attempts.some(({ challenger }) => challenger.version === version));

    const { manifest, model } = await rig.context.artifacts.load(version);
    assert.deepEqual([manifest.imported?.judgedOffline, manifest.imported?.trainedThrough], [false, null]);
    assert.equal(model.recipe, "imported-elsewhere");
    const again = await importModel(rig.context, request());
    assert.equal(again.version, version);
  });

  it("is promoted, serves as baseline, is not asked to be retrained here, and is rolled back", async () => {
    const { version } = await importModel(rig.context, request({ trainedThrough: BEFORE_HOLDOUT }));
    const live = await rig.context.registry.live();
    const terms = { reason: "tests", actor: "tests", force: true };
    await rig.context.registry.promote({ ...terms, version, expectedLive: live?.version ?? null });
    const producers = { addRetrain: () => assert.fail("nothing here can train it") };
    await rig.traffic(1);
    assert.equal((await refresh(rig.context, producers)).jobId, null);

    const challenger = await retrain(rig.context, {
      phase: 2,
      recipe: "item-knn",
      seed: 1,
      requestedBy: "tests",
    });
    const [decision] = await rig.context.decisions.list({ challenger: challenger.version, limit: 1 });
    assert.equal(decision.baseline, version);
    await judge(rig.context, { kind: "judge", record: false });
    const { left } = await rig.context.registry.rollback({ reason: "tests", actor: "tests" });
    assert.equal(left, version);
  });

  it("may be an export of our own: the very model under another name", async () => {
    const order = {
      phase: 3,
      recipe: "als",
      params: { embeddingSize: 8 },
      seed: 1,
      requestedBy: "tests",
    } as const;
    const { version } = await retrain(rig.context, order);
    const files = { factors: join(rig.folder, "own.safetensors"), items: join(rig.folder, "own.csv") };
    const written = await exportModel(rig.context, { version, ...files });
    assert.deepEqual([written.items, written.d], [ITEM_IDS.length, 8]);
    const imported = await importModel(rig.context, request({ recipe: "own", ...files }));
    const [ours, theirs] = await Promise.all(
      [version, imported.version].map(async (name) => (await rig.context.artifacts.load(name)).model),
    );
    assert.deepEqual(theirs.items.ids, ours.items.ids);
    assert.deepEqual(theirs.arrays.itemFactors, ours.arrays.itemFactors);
    const [told, known] = await Promise.all(
      [version, imported.version].map(async (name) => (await rig.context.artifacts.manifest(name)).manifest),
    );
    assert.equal(known.imported?.trainedThrough, told.data.through);
    await assert.rejects(exportModel(rig.context, { version: "popularity-0123456789ab", ...files }), {
      code: "NOT_FOUND",
    });
  });

  it("may come from Python, by its standard library alone", { skip: !withPython }, async () => {
    const list = join(rig.folder, "ids.txt");
    const foreign = join(rig.folder, "foreign.safetensors");
    await writeFile(list, ITEM_IDS.join("\n"));
    await writeFile(
      join(rig.folder, "foreign.csv"),
      `title,movieId\n${ITEM_IDS.map((id) => `"A, B",${id}`).join("\n")}\n`,
    );
    const { status, stderr } = spawnSync("python3", [SCRIPT, foreign, list, "6"], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const { version } = await importModel(
      rig.context,
      request({ recipe: "python", factors: foreign, items: join(rig.folder, "foreign.csv") }),
    );
    const { model } = await rig.context.artifacts.load(version);
    assert.deepEqual(model.arrays.itemFactors.shape, [ITEM_IDS.length, 6]);
    assert.equal(model.params.encoder, "mean");
    assert.ok(Math.abs(model.arrays.itemFactors.data[1] - (0.503 - 0.5)) < 1e-6);
  });

  for (const [what, more, message] of [
    ["another phase", { phase: 2 }, /phase: expected 3, got 2/],
    ["no file", { factors: "/nowhere.safetensors" }, /expected a safetensors file, got ENOENT/],
    ["no list of items", { items: "/nowhere.csv" }, /expected a file of item ids, got none/],
    ["a date that is none", { trainedThrough: "soon" }, /expected a date such as 2018-09-24 .*got "soon"/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(importModel(rig.context, request(more)), { code: "INVALID_DATA", message });
    });
  }

  it("refuses factors that are not finite", async () => {
    const header = Buffer.from(
      JSON.stringify({ itemFactors: { dtype: "F32", shape: [1, 1], data_offsets: [0, 4] } }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const broken = join(rig.folder, "broken.safetensors");
    await writeFile(broken, Buffer.concat([length, header, Buffer.from([0, 0, 0xc0, 0x7f])]));
    await assert.rejects(importModel(rig.context, request({ factors: broken })), /expected finite values/);
  });
});
