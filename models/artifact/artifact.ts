import { createHash } from "node:crypto";
import { Value } from "typebox/value";
import { canonicalJson } from "../canonical-json.ts";
import type { ItemId } from "../data/ids.ts";
import { Vocabulary } from "../data/vocabulary.ts";
import type { Model } from "../model.ts";
import { recipeNamed } from "../phases.ts";
import type { NamedArray, NamedArrays, Params, TypedArray } from "../recipe.ts";
import { readSafetensors, type Safetensors, writeSafetensors } from "../safetensors/safetensors.ts";

/**
 * A model as one safetensors file. Metadata: formatVersion, phase, recipe, params (JSON, keys sorted), seed.
 * Arrays: `items.bytes` (UTF-8 of all ids) with `items.offsets` (items + 1), `floor` (items), and the recipe's own
 * as `recipe.<name>`. No user is in it. The same model always gives the same bytes.
 */
const FORMAT_VERSION = "1";
const RECIPE_PREFIX = "recipe.";

/** The file's bytes do not make a model; the message says what was expected. */
export class ArtifactError extends Error {
  constructor(what: string, cause?: unknown) {
    super(`artifact: ${what}`, cause === undefined ? undefined : { cause });
    this.name = "ArtifactError";
  }
}

export function serializeModel(model: Model): Uint8Array {
  const tensors = new Map<string, NamedArray>();
  const { bytes, offsets } = encodeIds(model.items.ids);
  tensors.set("items.bytes", { shape: [bytes.length], data: bytes });
  tensors.set("items.offsets", { shape: [offsets.length], data: offsets });
  tensors.set("floor", { shape: [model.floor.length], data: model.floor });
  for (const [name, array] of Object.entries(model.arrays)) tensors.set(RECIPE_PREFIX + name, array);
  const metadata = new Map([
    ["formatVersion", FORMAT_VERSION],
    ["phase", String(model.phase)],
    ["recipe", model.recipe],
    ["params", canonicalJson(model.params)],
    ["seed", String(model.seed)],
  ]);
  const file = writeSafetensors({ tensors, metadata });
  // What cannot be read back must not be written: the checks live in one place.
  parseModel(file);
  return file;
}

/** Rebuilds a model from untrusted bytes. @throws ArtifactError, SafetensorsError */
export function parseModel(file: Uint8Array): Model {
  const contents = readSafetensors(file);
  const formatVersion = metadata(contents, "formatVersion");
  if (formatVersion !== FORMAT_VERSION) {
    throw new ArtifactError(
      `expected format version ${FORMAT_VERSION}, got ${formatVersion}; retrain, or use the release that wrote it`,
    );
  }
  const { recipe, phase, params } = knownRecipe(contents);
  const items = decodeIds(
    array(contents, "items.bytes", Uint8Array).data,
    array(contents, "items.offsets", Uint32Array).data,
  );
  const floor = array(contents, "floor", Float32Array);
  if (floor.shape.length !== 1 || floor.data.length !== items.size) {
    throw new ArtifactError(`expected a floor of shape [${items.size}], got [${floor.shape}]`);
  }
  const seed = Number(metadata(contents, "seed"));
  if (!Number.isSafeInteger(seed)) throw new ArtifactError(`expected a whole number as seed, got ${seed}`);
  return { phase, recipe, params, seed, items, floor: floor.data, arrays: recipeArrays(contents) };
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Content-addressed version id: `<recipe>-<first 12 hex digits of the SHA-256 of the arrays' file>`. */
export function versionOf(recipe: string, sha256: string): string {
  return `${recipe}-${sha256.slice(0, 12)}`;
}

function metadata({ metadata }: Safetensors, key: string): string {
  const text = metadata.get(key);
  if (text === undefined)
    throw new ArtifactError(`expected "${key}" in the metadata, got none; it is no model of ours`);
  return text;
}

function knownRecipe(contents: Safetensors): Pick<Model, "recipe" | "phase" | "params"> {
  const name = metadata(contents, "recipe");
  let recipe: ReturnType<typeof recipeNamed>;
  let params: Params;
  try {
    recipe = recipeNamed(name);
    params = JSON.parse(metadata(contents, "params")) as Params;
  } catch (error) {
    throw new ArtifactError(error instanceof Error ? error.message : String(error), error);
  }
  const phase = metadata(contents, "phase");
  if (phase !== String(recipe.phase)) {
    throw new ArtifactError(`expected phase ${recipe.phase} for ${name}, got ${phase}`);
  }
  if (!Value.Check(recipe.schema, params)) {
    const [{ instancePath, message }] = Value.Errors(recipe.schema, params);
    throw new ArtifactError(`parameters of ${name}: ${instancePath || "/"} ${message}`);
  }
  return { recipe: name, phase: recipe.phase, params };
}

function array<T extends TypedArray>(
  { tensors }: Safetensors,
  name: string,
  kind: { new (length: number): T; readonly name: string },
): { shape: readonly number[]; data: T } {
  const tensor = tensors.get(name);
  if (!(tensor?.data instanceof kind)) {
    throw new ArtifactError(
      `expected "${name}" as ${kind.name}, got ${tensor?.data.constructor.name ?? "none"}`,
    );
  }
  return { shape: tensor.shape, data: tensor.data };
}

function recipeArrays({ tensors }: Safetensors): NamedArrays {
  const arrays: Record<string, NamedArray> = {};
  for (const [name, tensor] of tensors) {
    if (name.startsWith(RECIPE_PREFIX)) arrays[name.slice(RECIPE_PREFIX.length)] = tensor;
    else if (!["items.bytes", "items.offsets", "floor"].includes(name)) {
      throw new ArtifactError(`expected no array besides the known ones, got "${name}"`);
    }
  }
  return arrays;
}

function encodeIds(ids: readonly string[]): { bytes: Uint8Array; offsets: Uint32Array } {
  const encoder = new TextEncoder();
  const encoded = ids.map((id) => encoder.encode(id));
  const offsets = new Uint32Array(ids.length + 1);
  for (const [item, { length }] of encoded.entries()) offsets[item + 1] = offsets[item] + length;
  const bytes = new Uint8Array(offsets[ids.length]);
  for (const [item, text] of encoded.entries()) bytes.set(text, offsets[item]);
  return { bytes, offsets };
}

function decodeIds(bytes: Uint8Array, offsets: Uint32Array): Vocabulary<ItemId> {
  const tiles = offsets.length > 0 && offsets[0] === 0 && offsets[offsets.length - 1] === bytes.length;
  if (!tiles || offsets.some((offset, item) => item > 0 && offset <= offsets[item - 1])) {
    throw new ArtifactError(`expected item offsets that rise from 0 to ${bytes.length}: no id may be empty`);
  }
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    const ids = Array.from({ length: offsets.length - 1 }, (_, item) =>
      decoder.decode(bytes.subarray(offsets[item], offsets[item + 1])),
    );
    return new Vocabulary(ids as ItemId[]);
  } catch (error) {
    throw new ArtifactError(`item ids: ${error instanceof Error ? error.message : error}`, error);
  }
}
