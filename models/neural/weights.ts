import type { Random } from "../data/random.ts";
import type { NamedArrays } from "../recipe.ts";

/** Sizes that decide every array of the network. */
export interface NetworkShape {
  readonly items: number;
  readonly embeddingSize: number;
  readonly blocks: number;
  readonly maxLength: number;
}

export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
/** All weights by name; the network, the optimizer, the checkpoint and the artifact share these names. */
export type Weights = Readonly<Record<string, Weight>>;

const EMBEDDING_DEVIATION = 0.05;

type Kind = "embedding" | "matrix" | "gain" | "bias";

/** Names, shapes and kinds, in the order in which they are drawn. d = embeddingSize. */
function layout({ items, embeddingSize: d, blocks, maxLength }: NetworkShape): [string, number[], Kind][] {
  const entries: [string, number[], Kind][] = [
    ["itemEmbedding", [items, d], "embedding"],
    ["positionEmbedding", [maxLength, d], "embedding"],
  ];
  for (let block = 0; block < blocks; block++) {
    entries.push(
      [`block${block}.attentionGain`, [d], "gain"],
      [`block${block}.attentionBias`, [d], "bias"],
      [`block${block}.queryKeyValue`, [d, 3 * d], "matrix"],
      [`block${block}.feedForwardGain`, [d], "gain"],
      [`block${block}.feedForwardBias`, [d], "bias"],
      [`block${block}.hidden`, [d, d], "matrix"],
      [`block${block}.hiddenBias`, [d], "bias"],
      [`block${block}.output`, [d, d], "matrix"],
      [`block${block}.outputBias`, [d], "bias"],
    );
  }
  entries.push(["finalGain", [d], "gain"], ["finalBias", [d], "bias"]);
  return entries;
}

/** Embeddings N(0, 0.05²); matrices N(0, 1/d), which keeps the variance of a normalized input; gains 1, biases 0. */
export function initialWeights(shape: NetworkShape, random: Random): Weights {
  const matrixDeviation = 1 / Math.sqrt(shape.embeddingSize);
  const draw = (kind: Kind): number => {
    if (kind === "gain") return 1;
    if (kind === "bias") return 0;
    return random.normal() * (kind === "matrix" ? matrixDeviation : EMBEDDING_DEVIATION);
  };
  return Object.fromEntries(
    layout(shape).map(([name, sides, kind]) => {
      const data = new Float32Array(sides.reduce((size, side) => size * side, 1));
      for (let index = 0; index < data.length; index++) data[index] = draw(kind);
      return [name, { shape: sides, data }];
    }),
  );
}

export function zerosLike(weights: Weights): Weights {
  return mapWeights(weights, (data) => new Float32Array(data.length));
}

export function copyOf(weights: Weights): Weights {
  return mapWeights(weights, (data) => data.slice());
}

function mapWeights(weights: Weights, change: (data: Float32Array) => Float32Array): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [name, { shape, data: change(data) }]),
  );
}

/** The weights of an artifact, refused unless they are just those the shape asks for. */
export function weightsFrom(arrays: NamedArrays, blocks: number): { weights: Weights; shape: NetworkShape } {
  const [items, embeddingSize] = arrays.itemEmbedding?.shape ?? [0, 0];
  const [maxLength] = arrays.positionEmbedding?.shape ?? [0];
  const shape = { items, embeddingSize, blocks, maxLength };
  const weights: Record<string, Weight> = {};
  for (const [name, sides] of layout(shape)) {
    const array = arrays[name];
    if (!(array?.data instanceof Float32Array) || array.shape.join() !== sides.join()) {
      throw new RangeError(
        `sasrec: expected the float32 array ${name} of shape ${sides}, got ${array?.shape ?? "none"}`,
      );
    }
    weights[name] = { shape: sides, data: array.data };
  }
  return { weights, shape };
}
