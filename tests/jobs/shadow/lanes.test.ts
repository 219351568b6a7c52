import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type LaneQuery, Lanes } from "../../../jobs/shadow/lanes.ts";
import { itemId } from "../../../models/data/ids.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { artifactStore } from "../../../services/artifacts/artifact-store.ts";
import type { ArtifactStore } from "../../../services/artifacts/types.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";
import { manifestOf } from "../../support/manifest.ts";
import { type Defect, plantedModel } from "../../support/planted-recipes.ts";

const items = new Vocabulary(Array.from({ length: 30 }, (_, index) => itemId(`i${index}`)));
const floor = Float32Array.from(items.ids, (_, index) => 100 - index);

const queries = (count: number): LaneQuery[] =>
  Array.from({ length: count }, (_, index) => ({
    history: [{ itemId: itemId("i3"), timestamp: index, weight: 1 }],
    exclude: ["i4"],
    seen: null,
    k: 10,
    repeat: index === 0,
  }));

describe("the shadow's lanes", () => {
  let folder: string;
  /** So patient that a busy machine is no fault. */
  let lanes: Lanes;
  /** For what hangs. */
  let strict: Lanes;
  let store: ArtifactStore;

  const publish = async (defect: Defect): Promise<string> => {
    const model = plantedModel(defect, { items, floor });
    const { manifest } = await store.write(model, (file) => ({
      ...manifestOf(file.version, 2),
      ...file,
      recipe: model.recipe,
      items: items.size,
    }));
    return manifest.version;
  };

  const options = () => ({
    source: { artifacts: store, catalogue: async () => new Map() },
    heapMb: 64,
    consecutiveFaults: 5,
    entry: new URL("../../support/defect-lane.js", import.meta.url),
  });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-lanes-"));
    store = artifactStore(folderStore(folder));
    lanes = new Lanes({ ...options(), timeoutMs: 30_000 });
    strict = new Lanes({ ...options(), timeoutMs: 1500 });
  });
  after(async () => {
    await Promise.all([lanes.close(), strict.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  it("answer in the order of the queries, with neither seen nor excluded items", async () => {
    const version = await publish("none");
    const answers = await lanes.ask(version, version, queries(20));
    assert.equal(answers.length, 20);
    for (const answer of answers) {
      assert.deepEqual([answer.fault, answer.broken], [null, []]);
      assert.equal(answer.items.length, 10);
      assert.ok(!answer.items.includes("i3") && !answer.items.includes("i4"));
    }
    assert.deepEqual(
      answers.map(({ repeated }) => repeated),
      [true, ...new Array(19).fill(null)],
    );
  });

  it("report a throwing version's error for the query it threw at, and go on", async () => {
    const version = await publish("error");
    const answers = await lanes.ask(version, version, queries(150));
    const failed = answers.flatMap(({ fault }, index) => (fault === null ? [] : [index]));
    // The first query is asked twice, so that the 101st question is the hundredth query.
    assert.deepEqual(failed, [99]);
    assert.match(answers[99].message ?? "", /one in so many/);
  });

  it("give up a version that hangs five times in a row, and leave the others alone", async () => {
    const [hung, sound] = [await publish("hang"), await publish("none")];
    const [answers, others] = await Promise.all([
      strict.ask(hung, hung, queries(200)),
      strict.ask(sound, sound, queries(5)),
    ]);
    assert.equal(answers.length, 200);
    assert.ok(answers.every(({ fault, items: list }) => fault === "timeout" && list.length === 0));
    assert.ok(others.every(({ fault }) => fault === null));
  });

  it("end a version that fills its heap, each time, and leave the others alone", async () => {
    const [leaking, sound] = [await publish("hoard"), await publish("none")];
    const [answers, others] = await Promise.all([
      strict.ask(leaking, leaking, queries(30)),
      strict.ask(sound, sound, queries(30)),
    ]);
    const ended = answers.filter(({ fault }) => fault !== null);
    assert.ok(ended.length > 0 && ended.length < 30, `${ended.length}`);
    // A heap that is nearly full may keep its thread too busy to answer in time before it overflows.
    for (const { message } of ended) assert.match(message ?? "", /memory limit|no answer within/);
    assert.ok(others.every(({ fault }) => fault === null));
  });

  it("tell what they hold, a model's arrays and whatever it keeps included", async () => {
    const [leaking, sound] = [await publish("leak"), await publish("none")];
    // Twice as many as show the leak: the heap may be cleared of what starting a thread left, once.
    const held = async (version: string) =>
      (await lanes.ask(version, version, queries(40))).map(({ memoryMb }) => memoryMb ?? 0);
    const [growing, steady] = [await held(leaking), await held(sound)];
    assert.ok(growing[39] - growing[0] > 15 && growing[0] > 1, `${growing}`);
    assert.ok(steady[39] - steady[0] < 10, `${steady}`);
  });

  it("that are closed while they are asked say so, blame no version and start no thread", async () => {
    const closing = new Lanes({ ...options(), timeoutMs: 30_000 });
    const asked = closing.ask("a", await publish("hang"), queries(2));
    const refused = assert.rejects(asked, /they are closed/);
    await closing.close();
    await refused;
    await assert.rejects(closing.ask("a", await publish("none"), queries(1)), /they are closed/);
  });

  it("fail every query of a version whose artifact does not load, and say why", async () => {
    const answers = await lanes.ask("absent", "item-knn-000000000000", queries(3));
    assert.equal(answers.length, 3);
    for (const { fault, message } of answers) {
      assert.equal(fault, "error");
      assert.match(message ?? "", /item-knn-000000000000/);
    }
  });
});
