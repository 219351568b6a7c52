import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ArtifactError,
  parseModel,
  serializeModel,
  sha256Hex,
  versionOf,
} from "../../../models/artifact/artifact.ts";
import { VERSION_PATTERN } from "../../../models/artifact/manifest.ts";
import { itemId } from "../../../models/data/ids.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import type { Model } from "../../../models/model.ts";
import type { NamedArray } from "../../../models/recipe.ts";
import { readSafetensors, writeSafetensors } from "../../../models/safetensors/safetensors.ts";

const MODEL: Model = {
  phase: 1,
  recipe: "popular-lately",
  params: { halfLifeDays: 30 },
  seed: 3,
  items: new Vocabulary(["10", "été 2001", "電影", "\ufeffbom"].map(itemId)),
  floor: Float32Array.of(4, 3, 2, 1),
  arrays: { popularity: { shape: [4], data: Float32Array.of(4, 3, 2, 0.5) } },
};

/** The model's file with some of its metadata and arrays replaced; null takes one away. */
function forged(
  metadata: Readonly<Record<string, string>>,
  tensors: Readonly<Record<string, NamedArray | null>> = {},
): Uint8Array {
  const file = readSafetensors(serializeModel(MODEL));
  const arrays = new Map<string, NamedArray>(file.tensors);
  for (const [name, array] of Object.entries(tensors)) {
    if (array === null) arrays.delete(name);
    else arrays.set(name, array);
  }
  return writeSafetensors({
    tensors: arrays,
    metadata: new Map([...file.metadata, ...Object.entries(metadata)]),
  });
}

test("a model comes back equal, ids in any script included", () => {
  const revived = parseModel(serializeModel(MODEL));
  assert.deepEqual(revived.items.ids, MODEL.items.ids);
  assert.deepEqual({ ...revived, items: null }, { ...MODEL, items: null });
});

test("equal models are equal bytes, however their parameters and arrays are ordered", () => {
  const one = { ...MODEL, recipe: "item-knn", phase: 2 as const };
  const a = { shape: [1], data: Float32Array.of(1) };
  const b = { shape: [1], data: Uint32Array.of(0) };
  const params = { weighting: "bm25", shrinkage: 20, neighbours: 5, recency: 10, rarity: 0 };
  const reversed = Object.fromEntries(Object.entries(params).reverse());
  assert.deepEqual(
    serializeModel({ ...one, params, arrays: { a, b } }),
    serializeModel({ ...one, params: reversed, arrays: { b, a } }),
  );
});

test("a version is named after its recipe and its content", () => {
  // printf abc | sha256sum
  const sha256 = sha256Hex(new TextEncoder().encode("abc"));
  assert.equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(versionOf("item-knn", sha256), "item-knn-ba7816bf8f01");
  assert.match(versionOf("item-knn", sha256), new RegExp(VERSION_PATTERN));
});

const bytes = (text: string): NamedArray => {
  const data = new TextEncoder().encode(text);
  return { shape: [data.length], data };
};
const offsets = (...values: number[]): NamedArray => ({
  shape: [values.length],
  data: Uint32Array.from(values),
});

const REFUSED: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  [
    "another format version",
    () => forged({ formatVersion: "2" }),
    /expected format version 1, got 2; retrain/,
  ],
  ["an unknown recipe", () => forged({ recipe: "oracle" }), /expected one of popularity.*got "oracle"/],
  [
    "a phase that is not the recipe's",
    () => forged({ phase: "4" }),
    /expected phase 1 for popular-lately, got 4/,
  ],
  [
    "parameters its recipe does not accept",
    () => forged({ params: '{"halfLifeDays":-1}' }),
    /parameters of popular-lately: \/halfLifeDays/,
  ],
  ["parameters that are not JSON", () => forged({ params: "{" }), /JSON/],
  ["a seed that is no number", () => forged({ seed: "x" }), /whole number as seed/],
  [
    "a floor of another length",
    () => forged({}, { floor: { shape: [3], data: new Float32Array(3) } }),
    /floor of shape \[4\], got \[3\]/,
  ],
  [
    "a floor of another type",
    () => forged({}, { floor: { shape: [4], data: new Int32Array(4) } }),
    /"floor" as Float32Array, got Int32Array/,
  ],
  [
    "a missing item table",
    () => forged({}, { "items.offsets": null }),
    /"items.offsets" as Uint32Array, got none/,
  ],
  [
    "item offsets that fall",
    () => forged({}, { "items.bytes": bytes("abcd"), "items.offsets": offsets(0, 3, 1, 3, 4) }),
    /offsets that rise/,
  ],
  [
    "an empty item id",
    () => forged({}, { "items.bytes": bytes("abc"), "items.offsets": offsets(0, 1, 1, 2, 3) }),
    /no id may be empty/,
  ],
  [
    "an item id twice",
    () => forged({}, { "items.bytes": bytes("abca"), "items.offsets": offsets(0, 1, 2, 3, 4) }),
    /distinct ids/,
  ],
  [
    "item ids that are not UTF-8",
    () =>
      forged(
        {},
        {
          "items.bytes": { shape: [4], data: Uint8Array.of(255, 97, 98, 99) },
          "items.offsets": offsets(0, 1, 2, 3, 4),
        },
      ),
    /item ids/,
  ],
  ["an array nobody knows", () => forged({}, { payload: bytes("x") }), /got "payload"/],
];

for (const [what, file, message] of REFUSED) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => parseModel(file()),
      (error) => error instanceof ArtifactError && message.test(error.message),
    );
  });
}

test("a model that could not be read back is not written", () => {
  assert.throws(() => serializeModel({ ...MODEL, floor: new Float32Array(3) }), /floor of shape \[4\]/);
  assert.throws(() => serializeModel({ ...MODEL, params: { halfLifeDays: "long" } }), /halfLifeDays/);
});
