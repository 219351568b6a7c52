import { ItemScores } from "../kernels/item-scores.ts";
import { paddedTo, writePadded } from "../kernels/padding.ts";
import { type HistoryItems, type QueryScorer, queryScorer } from "../ranking/query-scorer.ts";
import type { BoundedScorer, ItemScorer } from "../recipe.ts";
import { LAYER_NORM_EPSILON } from "./layer-norm.ts";
import type { NetworkShape, Weights } from "./weights.ts";

/** What `multiplyRows` does with a product. */
const ADD = 1;
const RELU = 2;

/** Where one block's weights lie in the kernels' memory. */
type BlockPointers = Readonly<Record<(typeof BLOCK_WEIGHTS)[number], number>>;
const BLOCK_WEIGHTS = [
  "attentionGain",
  "attentionBias",
  "queryKeyValue",
  "feedForwardGain",
  "feedForwardBias",
  "hidden",
  "hiddenBias",
  "output",
  "outputBias",
] as const;

/**
 * The network of network.ts, without TensorFlow, for one history: scores (items) = E · state of the last position +
 * prior. Reads the last maxLength items; positions count from the oldest of them. In the last block nothing but the last
 * position is asked for, so only its query, residual and feed-forward are computed. Weights are copied into the memory of
 * the kernels, rows padded with zeros to whole vectors; buffers are its own, so a scorer answers one query at a time.
 */
export class ForwardPass implements ItemScorer {
  readonly #weights: Weights;
  readonly #shape: NetworkShape;
  readonly #itemScores: ItemScores;
  readonly #scorer: QueryScorer<HistoryItems>;
  /** Padded embedding size. */
  readonly #width: number;
  readonly #blocks: readonly BlockPointers[];
  readonly #finalGain: number;
  readonly #finalBias: number;
  readonly #noBias: number;
  readonly #state: Float32Array;
  readonly #normed: Float32Array;
  readonly #projected: number;
  readonly #hidden: number;
  readonly #shares: number;
  readonly #inverses: number;

  /** `prior` (items) is added to the scores. */
  constructor(weights: Weights, shape: NetworkShape, prior: Float32Array) {
    const { items, maxLength, embeddingSize, blocks } = shape;
    const width = paddedTo(8, embeddingSize);
    this.#weights = weights;
    this.#shape = shape;
    this.#width = width;
    this.#itemScores = new ItemScores(weights.itemEmbedding.data, items, embeddingSize);
    this.#scorer = queryScorer(this.#itemScores, (history: HistoryItems) => this.#encode(history), prior);
    const { arena } = this.#itemScores;
    this.#blocks = Array.from({ length: blocks }, (_, block) => {
      const placed = BLOCK_WEIGHTS.map((name) => [name, this.#place(`block${block}.${name}`)]);
      return Object.fromEntries(placed) as BlockPointers;
    });
    this.#finalGain = this.#place("finalGain");
    this.#finalBias = this.#place("finalBias");
    this.#noBias = arena.floats(3 * width).byteOffset;
    this.#state = arena.floats(maxLength * width);
    this.#normed = arena.floats(maxLength * width);
    this.#projected = arena.floats(maxLength * 3 * width).byteOffset;
    this.#hidden = arena.floats(maxLength * width).byteOffset;
    this.#shares = arena.floats(maxLength).byteOffset;
    this.#inverses = arena.floats(maxLength).byteOffset;
  }

  /** Copies a vector (d) or a matrix (d × n·d), each d values followed by the padding. */
  #place(name: string): number {
    const { shape, data } = this.#weights[name];
    const d = this.#shape.embeddingSize;
    const rows = shape.length === 1 ? 1 : this.#width;
    const parts = shape[shape.length - 1] / d;
    const copy = this.#itemScores.arena.floats(rows * parts * this.#width);
    writePadded(data, d, copy, this.#width);
    return copy.byteOffset;
  }

  scoreItems(history: HistoryItems): Float32Array | null {
    return this.#scorer.scoreItems(history);
  }

  get bounded(): BoundedScorer | undefined {
    return this.#scorer.bounded;
  }

  /** The state of the last position becomes the query; false for a history without items. */
  #encode({ items }: HistoryItems): boolean {
    if (items.length === 0) return false;
    const { maxLength, blocks, embeddingSize } = this.#shape;
    const skipped = Math.max(0, items.length - maxLength);
    const length = items.length - skipped;
    const last = length - 1;
    this.#embed(items, skipped);
    for (let block = 0; block < blocks; block++) {
      const from = block === blocks - 1 ? last : 0;
      this.#attend(this.#blocks[block], length, from);
      this.#feedForward(this.#blocks[block], length, from);
    }
    this.#norm(this.#finalGain, this.#finalBias, last, 1);
    const { query } = this.#itemScores;
    const at = last * this.#width;
    for (let column = 0; column < embeddingSize; column++) query[column] = this.#normed[at + column];
    return true;
  }

  #embed(items: Uint32Array, skipped: number): void {
    const d = this.#shape.embeddingSize;
    const scale = Math.sqrt(d);
    const table = this.#weights.itemEmbedding.data;
    const places = this.#weights.positionEmbedding.data;
    const state = this.#state;
    for (let position = 0; position < items.length - skipped; position++) {
      const row = items[skipped + position] * d;
      const at = position * this.#width;
      for (let column = 0; column < d; column++) {
        state[at + column] = table[row + column] * scale + places[position * d + column];
      }
    }
  }

  /** Layer norm of `rows` rows of the state from row `from` on, into #normed at the same place. */
  #norm(gain: number, bias: number, from: number, rows: number): void {
    const rowBytes = 4 * this.#width;
    const state = this.#state.byteOffset + from * rowBytes;
    const normed = this.#normed.byteOffset + from * rowBytes;
    const { embeddingSize } = this.#shape;
    const { kernels } = this.#itemScores;
    kernels.normRows(
      state,
      gain,
      bias,
      normed,
      this.#inverses,
      normed,
      rows,
      rowBytes,
      embeddingSize,
      LAYER_NORM_EPSILON,
    );
  }

  /** state[p] += Σ_{q ≤ p} softmax_q(query_p·key_q / √d) · value_q for positions p ≥ from. */
  #attend(block: BlockPointers, length: number, from: number): void {
    const { kernels } = this.#itemScores;
    const row = 4 * this.#width;
    const normed = this.#normed.byteOffset;
    const w = block.queryKeyValue;
    const out = this.#projected;
    this.#norm(block.attentionGain, block.attentionBias, 0, length);
    const [asked, wanted] = [normed + from * row, out + 3 * from * row];
    kernels.multiplyRows(asked, w, this.#noBias, wanted, length - from, row, row, 3 * row, 0);
    kernels.multiplyRows(normed, w + row, this.#noBias, out + row, length, row, 2 * row, 3 * row, 0);
    const scale = 1 / Math.sqrt(this.#shape.embeddingSize);
    kernels.attendRows(out, this.#state.byteOffset, this.#shares, from, length, row, scale);
  }

  /** state[p] += relu(norm(state[p])·W₁ + b₁)·W₂ + b₂ for positions p ≥ from. */
  #feedForward(block: BlockPointers, length: number, from: number): void {
    const { kernels } = this.#itemScores;
    const row = 4 * this.#width;
    const rows = length - from;
    this.#norm(block.feedForwardGain, block.feedForwardBias, from, rows);
    const normed = this.#normed.byteOffset + from * row;
    const state = this.#state.byteOffset + from * row;
    kernels.multiplyRows(normed, block.hidden, block.hiddenBias, this.#hidden, rows, row, row, row, RELU);
    kernels.multiplyRows(this.#hidden, block.output, block.outputBias, state, rows, row, row, row, ADD);
  }
}
