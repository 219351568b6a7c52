import assert from "node:assert/strict";
import { test } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import type { Catalogue } from "../../../models/data/interaction-log.ts";
import type { TrainingSet } from "../../../models/data/interaction-matrix.ts";
import { als } from "../../../models/factorization/als.ts";
import { sidesOf } from "../../../models/factorization/sides.ts";
import { trainingSetOf } from "../support/toy-data.ts";

const PLAIN = { ratingExponent: 0, halfLifeDays: 0, sideWeight: 0 };

function described(train: TrainingSet, films: Record<string, [string[], number?]>): TrainingSet {
  const catalogue: Catalogue = new Map(
    Object.entries(films).map(([id, [genres, year]]) => [
      itemId(id),
      { title: id, genres, ...(year === undefined ? {} : { year }) },
    ]),
  );
  return { ...train, catalogue };
}

test("features are rows below the users, and an item's weigh sideWeight in all", () => {
  const train = described(trainingSetOf({ u: ["a", "b"], v: ["b"] }), {
    a: [["War"], 1994],
    b: [["War", "Drama"], 1990],
  });
  const { users, items } = sidesOf(train, { ...PLAIN, sideWeight: 6 });
  // War: a, b; 1990–1994: a, b; Drama: b.
  assert.deepEqual([users.rows, users.others], [5, 2]);
  assert.deepEqual(Array.from(users.starts), [0, 2, 3, 5, 7, 8]);
  assert.deepEqual(Array.from(users.columns), [0, 1, 1, 0, 1, 0, 1, 1]);
  assert.deepEqual(Array.from(users.weights ?? []), [1, 1, 1, 3, 2, 3, 2, 2]);
  assert.deepEqual([items.rows, items.others], [2, 5]);
});

test("without a catalogue, or with weight 0, nothing is added", () => {
  const train = trainingSetOf({ u: ["a", "b"], v: ["b"] });
  assert.equal(sidesOf(train, { ...PLAIN, sideWeight: 6 }).users.rows, 2);
  const known = described(train, { a: [["War"]] });
  assert.equal(sidesOf(known, PLAIN).users.weights, null);
});

test("a film that one person has is placed by its genre", async () => {
  const rows: Record<string, string[]> = { loner: ["new-red"], other: ["new-blue"] };
  for (let user = 0; user < 20; user++) rows[`red-${user}`] = ["r0", "r1", "r2", "r3", "r4"];
  for (let user = 0; user < 20; user++) rows[`blue-${user}`] = ["b0", "b1", "b2", "b3", "b4"];
  const films = Object.fromEntries(
    [0, 1, 2, 3, 4].flatMap((film) => [
      [`r${film}`, [["Red"]]] as [string, [string[]]],
      [`b${film}`, [["Blue"]]] as [string, [string[]]],
    ]),
  );
  const train = described(trainingSetOf(rows), { ...films, "new-red": [["Red"]], "new-blue": [["Blue"]] });
  const params = { ...als.defaults, ...PLAIN, embeddingSize: 4 };
  const index = (id: string): number => train.interactions.items.indexOf(itemId(id)) ?? -1;
  const lead = async (sideWeight: number): Promise<number> => {
    const fitted = { ...params, sideWeight };
    const { arrays } = await als.fit(train, fitted, { seed: 1 });
    const items = Uint32Array.of(index("r0"), index("r1"));
    const weights = Float32Array.of(1, 1);
    const scores = als.scorer(arrays, fitted).scoreItems({ items, weights, timestamps: new Float64Array(2) });
    assert.ok(scores);
    return scores[index("new-red")] - scores[index("new-blue")];
  };
  assert.ok(Math.abs(await lead(0)) < 0.001);
  assert.ok((await lead(3)) > 0.01);
});
