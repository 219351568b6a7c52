import { type ItemId, itemId } from "../data/ids.ts";
import type { TrainingSet } from "../data/interaction-matrix.ts";
import { Vocabulary } from "../data/vocabulary.ts";
import { ENCODERS, type Encoder, type ImportedParams, importedRecipe } from "../factorization/imported.ts";
import { meanRating } from "../factorization/sides.ts";
import { FLOOR_HALF_LIFE_DAYS, type Model } from "../model.ts";
import { decayedCounts } from "../popularity/counts.ts";
import type { NamedArray, NamedArrays } from "../recipe.ts";
import type { Safetensors } from "../safetensors/safetensors.ts";

/** What other trainers call the same array. */
const FACTOR_NAMES = ["itemFactors", "item_factors"];
const BIAS_NAMES = ["itemBias", "item_bias"];
const EXAMPLES = 3;

/** A file that cannot be made into a model: what was expected, what was got, and what mends it. */
export class ImportError extends Error {
  constructor(what: string) {
    super(`import: ${what}`);
    this.name = "ImportError";
  }
}

export interface ForeignFactors {
  readonly file: Safetensors;
  /** SHA-256 of the file, hex. */
  readonly source: string;
  /** Item of each row of the factors. */
  readonly itemIds: readonly string[];
  /** Its recipe's full name, `imported-…`. */
  readonly recipe: string;
  /** Wins over what the file's metadata says. */
  readonly encoder?: Encoder | undefined;
  readonly recency?: number | undefined;
  /** Leaves out items that the service does not know, instead of refusing the file. */
  readonly skipUnknown?: boolean | undefined;
}

/**
 * A model from item factors (items × d, float32) and, where the file has them, item biases (items). Finiteness was
 * checked when the file was read. The popularity floor is counted here, from `train`.
 *
 * @param known whether the service has heard of an item
 * @throws ImportError
 */
export function importFactors(
  foreign: ForeignFactors,
  known: (item: ItemId) => boolean,
  train: TrainingSet,
): Model {
  const factors = arrayNamed(foreign.file, FACTOR_NAMES);
  if (factors === undefined) {
    const got = [...foreign.file.tensors.keys()].join(", ") || "none";
    throw new ImportError(`expected an array itemFactors (items × d), got ${got}; name it itemFactors`);
  }
  const { shape, data } = factors;
  const [rows, d] = shape;
  if (shape.length !== 2 || rows === 0 || d === 0) {
    throw new ImportError(`expected itemFactors of shape (items × d), got [${shape}]; write one row an item`);
  }
  if (!(data instanceof Float32Array)) {
    throw new ImportError(
      `expected itemFactors as float32, got ${data.constructor.name}; convert and write it again`,
    );
  }
  const ids = foreign.itemIds.map((text) => itemId(text));
  if (ids.length !== rows) {
    throw new ImportError(
      `expected one item id for each of the ${rows} rows of itemFactors, got ${ids.length}; write the ids in the order of the rows`,
    );
  }
  refuseRepeats(ids);
  const kept = rowsKept(ids, known, foreign.skipUnknown === true);
  const bias = biasOf(foreign.file, rows);
  const itemFactors = new Float32Array(kept.length * d);
  for (const [place, row] of kept.entries()) {
    itemFactors.set(data.subarray(row * d, (row + 1) * d), place * d);
  }
  const params = paramsOf(foreign);
  const items = new Vocabulary(kept.map((row) => ids[row]));
  return {
    phase: 3,
    recipe: foreign.recipe,
    params,
    seed: 0,
    items,
    floor: floorOf(items, train),
    arrays: {
      itemFactors: { shape: [kept.length, d], data: itemFactors },
      itemBias: { shape: [kept.length], data: Float32Array.from(kept, (row) => bias?.[row] ?? 0) },
      ...(params.encoder === "fold-in" && foldInArrays(foreign, itemFactors, d, train)),
    },
  };
}

/** What folding in needs besides the factors; without a mean rating in the file, that of the data here. */
function foldInArrays(
  { file: { metadata } }: ForeignFactors,
  itemFactors: Float32Array,
  d: number,
  train: TrainingSet,
): NamedArrays {
  const gram = { shape: [d, d], data: gramOf(itemFactors, d) };
  if (!metadata.has("ratingExponent")) return { gram };
  const mean = numberIn(metadata, "meanRating", meanRating(train), true);
  return { gram, meanRating: { shape: [1], data: Float32Array.of(mean) } };
}

/** The same factors with the popularity of an earlier time, so that what is judged on the holdout has not seen it. */
export function withFloorOf(model: Model, train: TrainingSet): Model {
  return { ...model, floor: floorOf(model.items, train) };
}

function arrayNamed({ tensors }: Safetensors, names: readonly string[]): NamedArray | undefined {
  const name = names.find((candidate) => tensors.has(candidate));
  return name === undefined ? undefined : tensors.get(name);
}

function biasOf(file: Safetensors, rows: number): Float32Array | undefined {
  const bias = arrayNamed(file, BIAS_NAMES);
  if (bias === undefined) return undefined;
  const { shape, data } = bias;
  if (shape.length === 1 && shape[0] === rows && data instanceof Float32Array) return data;
  throw new ImportError(
    `expected itemBias as float32 of shape [${rows}], got ${data.constructor.name} of shape [${shape}]; one value a row of itemFactors`,
  );
}

function refuseRepeats(ids: readonly ItemId[]): void {
  const seen = new Set<ItemId>();
  for (const [row, id] of ids.entries()) {
    if (id === "") throw new ImportError(`expected an item id for row ${row}, got an empty one; fill it in`);
    if (seen.has(id)) {
      throw new ImportError(
        `expected distinct item ids, got "${id}" again at row ${row}; keep one row an item`,
      );
    }
    seen.add(id);
  }
}

function rowsKept(ids: readonly ItemId[], known: (item: ItemId) => boolean, skip: boolean): number[] {
  const rows = [...ids.keys()];
  const kept = rows.filter((row) => known(ids[row]));
  const strangers = ids.length - kept.length;
  if (kept.length === 0 || (strangers > 0 && !skip)) {
    const some = ids.filter((id) => !known(id)).slice(0, EXAMPLES);
    throw new ImportError(
      `expected item ids of the catalogue, got ${strangers} of ${ids.length} that it does not know (${some.join(", ")}${strangers > EXAMPLES ? ", …" : ""}); ` +
        `import the data that has them${kept.length === 0 ? " or write the catalogue's ids" : ", or leave them out with --skip-unknown"}`,
    );
  }
  return kept;
}

function paramsOf({ file: { metadata }, encoder, recency, recipe, source }: ForeignFactors): ImportedParams {
  const { defaults } = importedRecipe(recipe);
  const declared = metadata.get("encoder");
  const chosen = encoder ?? declared ?? defaults.encoder;
  const kind = ENCODERS.find((candidate) => candidate === chosen);
  if (kind === undefined) {
    throw new ImportError(
      `expected an encoder of ${ENCODERS.join(", ")}, got "${chosen}"; give one with --encoder`,
    );
  }
  const rated = kind === "fold-in" && metadata.has("ratingExponent");
  return {
    encoder: kind,
    recency: recency ?? numberIn(metadata, "recency", defaults.recency),
    reg: numberIn(metadata, "reg", defaults.reg, true),
    unobservedWeight: numberIn(metadata, "unobservedWeight", defaults.unobservedWeight, true),
    regExponent: numberIn(metadata, "regExponent", defaults.regExponent),
    ...(rated && { ratingExponent: numberIn(metadata, "ratingExponent", 0) }),
    source,
  };
}

/** A number from 0, or above it where it must be positive. @throws ImportError */
function numberIn(
  metadata: Safetensors["metadata"],
  name: string,
  fallback: number,
  positive = false,
): number {
  const text = metadata.get(name);
  const value = text === undefined ? fallback : Number(text);
  if (text?.trim() !== "" && Number.isFinite(value) && (positive ? value > 0 : value >= 0)) return value;
  throw new ImportError(
    `expected metadata "${name}" as a number ${positive ? "above" : "from"} 0, got "${text}"`,
  );
}

function floorOf(items: Vocabulary<ItemId>, train: TrainingSet): Float32Array {
  const counts = decayedCounts(train, FLOOR_HALF_LIFE_DAYS);
  return Float32Array.from(items.ids, (id) => {
    const index = train.interactions.items.indexOf(id);
    return index === undefined ? 0 : counts[index];
  });
}

/** VᵀV, (d × d). */
function gramOf(factors: Float32Array, d: number): Float32Array {
  const gram = new Float64Array(d * d);
  for (let row = 0; row < factors.length; row += d) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) gram[i * d + j] += factors[row + i] * factors[row + j];
    }
  }
  return Float32Array.from(gram);
}
