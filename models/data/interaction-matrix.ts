import type { ItemId, UserId } from "./ids.ts";
import type { Catalogue, InteractionLog } from "./interaction-log.ts";
import { Vocabulary } from "./vocabulary.ts";

/**
 * Users × items in compressed sparse rows. A row lists one user's items in time order, each item once
 * (the first time it was seen), so the same arrays serve set-based and sequence models.
 */
export interface InteractionMatrix {
  readonly users: Vocabulary<UserId>;
  readonly items: Vocabulary<ItemId>;
  /** (users + 1) row u is the range rowStarts[u] … rowStarts[u + 1]. */
  readonly rowStarts: Uint32Array;
  /** (nnz) dense item index. */
  readonly columns: Uint32Array;
  /** (nnz) rating, or 1. */
  readonly weights: Float32Array;
  /** (nnz) epoch milliseconds. */
  readonly timestamps: Float64Array;
}

/** All that a recipe may learn from. */
export interface TrainingSet {
  readonly interactions: InteractionMatrix;
  readonly catalogue: Catalogue;
  /** Epoch milliseconds of the last training event: the model's idea of "now". */
  readonly through: number;
}

export interface TrainingRange {
  /** First event taken (default 0). */
  readonly from?: number;
  /** First event not taken (default: all). */
  readonly to?: number;
  /** Items with fewer interactions in the range stay out of the vocabulary (default 1). */
  readonly minItemInteractions?: number;
}

/**
 * Cuts a range of the log into a training set: items and users get dense indices in order of first use. Only events of
 * interest count: those that weigh nothing were merely shown, those below zero speak against their items.
 */
export function trainingSet(
  log: InteractionLog,
  catalogue: Catalogue,
  range: TrainingRange = {},
): TrainingSet {
  const from = range.from ?? 0;
  const to = range.to ?? log.timestamps.length;
  const minItemInteractions = range.minItemInteractions ?? 1;
  if (to <= from)
    throw new RangeError(`training set: expected at least one event, got the empty range ${from}…${to}`);

  const perItem = new Uint32Array(log.items.size);
  for (let event = from; event < to; event++) if (log.weights[event] > 0) perItem[log.itemIndex[event]]++;
  const denseItem = new Int32Array(log.items.size).fill(-1);
  const denseUser = new Int32Array(log.users.size).fill(-1);
  const itemIds: ItemId[] = [];
  const userIds: UserId[] = [];
  const perUser: number[] = [];
  for (let event = from; event < to; event++) {
    const item = log.itemIndex[event];
    if (perItem[item] < minItemInteractions || !(log.weights[event] > 0)) continue;
    if (denseItem[item] < 0) denseItem[item] = itemIds.push(log.items.idAt(item)) - 1;
    const user = log.userIndex[event];
    if (denseUser[user] < 0) {
      denseUser[user] = userIds.push(log.users.idAt(user)) - 1;
      perUser.push(0);
    }
    perUser[denseUser[user]]++;
  }
  if (itemIds.length === 0) {
    throw new RangeError(
      `training set: no item has ${minItemInteractions} interactions or more; lower minItemInteractions or bring more data`,
    );
  }

  const loose = bucketByUser(log, from, to, denseUser, denseItem, perUser);
  return {
    interactions: dropRepeats(new Vocabulary(userIds), new Vocabulary(itemIds), loose),
    catalogue,
    through: log.timestamps[to - 1],
  };
}

type Rows = Pick<InteractionMatrix, "rowStarts" | "columns" | "weights" | "timestamps">;

/** Counting sort by user; the log's time order survives inside each row. */
function bucketByUser(
  log: InteractionLog,
  from: number,
  to: number,
  denseUser: Int32Array,
  denseItem: Int32Array,
  perUser: readonly number[],
): Rows {
  const rowStarts = new Uint32Array(perUser.length + 1);
  for (let user = 0; user < perUser.length; user++) rowStarts[user + 1] = rowStarts[user] + perUser[user];
  const nnz = rowStarts[perUser.length];
  const next = rowStarts.slice(0, -1);
  const columns = new Uint32Array(nnz);
  const weights = new Float32Array(nnz);
  const timestamps = new Float64Array(nnz);
  for (let event = from; event < to; event++) {
    const item = denseItem[log.itemIndex[event]];
    if (item < 0 || !(log.weights[event] > 0)) continue;
    const slot = next[denseUser[log.userIndex[event]]]++;
    columns[slot] = item;
    weights[slot] = log.weights[event];
    timestamps[slot] = log.timestamps[event];
  }
  return { rowStarts, columns, weights, timestamps };
}

/** Keeps the first interaction of each user–item pair, compacting the rows in place. */
function dropRepeats(users: Vocabulary<UserId>, items: Vocabulary<ItemId>, rows: Rows): InteractionMatrix {
  const { columns, weights, timestamps } = rows;
  const rowStarts = new Uint32Array(rows.rowStarts.length);
  const lastRowWith = new Int32Array(items.size).fill(-1);
  let kept = 0;
  for (let user = 0; user < users.size; user++) {
    for (let slot = rows.rowStarts[user]; slot < rows.rowStarts[user + 1]; slot++) {
      const item = columns[slot];
      if (lastRowWith[item] === user) continue;
      lastRowWith[item] = user;
      columns[kept] = item;
      weights[kept] = weights[slot];
      timestamps[kept] = timestamps[slot];
      kept++;
    }
    rowStarts[user + 1] = kept;
  }
  return {
    users,
    items,
    rowStarts,
    columns: columns.subarray(0, kept),
    weights: weights.subarray(0, kept),
    timestamps: timestamps.subarray(0, kept),
  };
}
