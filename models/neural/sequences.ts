import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import { type Random, shuffle } from "../data/random.ts";
import type { NegativeSampler, Negatives } from "./negatives.ts";

/** The sequences one epoch learns from: of each user the items before `ends[user]`, oldest first. */
export interface Sequences {
  readonly items: number;
  readonly rowStarts: Uint32Array;
  readonly rowEnds: Uint32Array;
  readonly columns: Uint32Array;
}

export function sequencesOf(interactions: InteractionMatrix, rowEnds?: Uint32Array): Sequences {
  const { items, rowStarts, columns } = interactions;
  return { items: items.size, rowStarts, rowEnds: rowEnds ?? rowStarts.subarray(1), columns };
}

export interface BatchOptions {
  readonly maxLength: number;
  readonly stride: number;
  readonly batchSize: number;
  /** Deals every sequence out anew each epoch. */
  readonly shuffled: boolean;
}

/**
 * Windows as rows of equal length; a short one is filled up behind its last event, where nothing that counts looks.
 */
export interface Batch {
  readonly windows: number;
  readonly length: number;
  /** (windows × length) item at each position. */
  readonly inputs: Int32Array;
  /** (windows × length) the item that came next. */
  readonly targets: Int32Array;
  /** (windows × length) 1, or 0 for filling. */
  readonly weights: Float32Array;
  /** Items every position of the batch is contrasted with. */
  readonly negatives: Int32Array;
  /** (negatives) how many items each stands for, as a logarithm. */
  readonly multiplicities: Float32Array;
}

/**
 * Cuts every sequence into windows whose ends lie `stride` apart from an offset that each epoch draws anew, so
 * that every event is a target in every epoch and meets ever different contexts. Windows of similar length share
 * a batch, to compute little filling; the order of the batches is random.
 */
export function epochBatches(
  past: Sequences,
  options: BatchOptions,
  sampler: NegativeSampler,
  random: Random,
): Batch[] {
  const { stride, batchSize, maxLength } = options;
  const sequences = options.shuffled ? dealtOut(past, random) : past;
  const starts: number[] = [];
  const lengths: number[] = [];
  for (let user = 0; user < sequences.rowEnds.length; user++) {
    const first = sequences.rowStarts[user];
    const last = sequences.rowEnds[user] - 1;
    if (last <= first) continue;
    const offset = last - first <= maxLength ? 0 : random.integer(stride);
    for (let end = offset === 0 ? Math.min(first + maxLength, last) : first + offset; ; ) {
      const start = Math.max(first, end - maxLength);
      starts.push(start);
      lengths.push(end - start);
      if (end === last) break;
      end = Math.min(end + stride, last);
    }
  }
  const order = shuffle(
    Uint32Array.from(starts, (_, index) => index),
    random,
  ).sort((a, b) => lengths[a] - lengths[b]);
  const groups: Uint32Array[] = [];
  for (let from = 0; from < order.length; from += batchSize)
    groups.push(order.subarray(from, from + batchSize));
  const turns = shuffle(
    Uint32Array.from(groups, (_, index) => index),
    random,
  );
  return Array.from(turns, (turn) =>
    batchOf(
      sequences,
      Array.from(groups[turn], (window) => [starts[window], lengths[window]]),
      sampler.draw(random),
    ),
  );
}

/** The same sequences, the items of each in a random order. */
function dealtOut(sequences: Sequences, random: Random): Sequences {
  const { rowStarts, rowEnds } = sequences;
  const columns = sequences.columns.slice();
  for (let user = 0; user < rowEnds.length; user++)
    shuffle(columns.subarray(rowStarts[user], rowEnds[user]), random);
  return { ...sequences, columns };
}

function batchOf(
  { columns }: Sequences,
  spans: readonly (readonly number[])[],
  { items: negatives, multiplicities }: Negatives,
): Batch {
  const windows = spans.length;
  const length = Math.max(...spans.map(([, span]) => span));
  const inputs = new Int32Array(windows * length);
  const targets = new Int32Array(windows * length);
  const weights = new Float32Array(windows * length);
  for (const [window, [start, span]] of spans.entries()) {
    const row = window * length;
    inputs.set(columns.subarray(start, start + span), row);
    targets.set(columns.subarray(start + 1, start + span + 1), row);
    weights.fill(1, row, row + span);
  }
  return { windows, length, inputs, targets, weights, negatives, multiplicities };
}
