/** Columns of events that grow as a file is read. */
export interface EventColumns {
  userIndex: Uint32Array<ArrayBuffer>;
  itemIndex: Uint32Array<ArrayBuffer>;
  weights: Float32Array<ArrayBuffer>;
  /** Epoch milliseconds. */
  timestamps: Float64Array<ArrayBuffer>;
  length: number;
}

export function emptyColumns(capacity: number): EventColumns {
  return {
    userIndex: new Uint32Array(capacity),
    itemIndex: new Uint32Array(capacity),
    weights: new Float32Array(capacity),
    timestamps: new Float64Array(capacity),
    length: 0,
  };
}

/** Makes room for `more` events, growing by half so that the copies stay linear. */
export function reserve(columns: EventColumns, more: number): void {
  const needed = columns.length + more;
  if (needed <= columns.userIndex.length) return;
  const capacity = Math.max(needed, Math.ceil(columns.userIndex.length * 1.5));
  const wider = emptyColumns(capacity);
  wider.userIndex.set(columns.userIndex);
  wider.itemIndex.set(columns.itemIndex);
  wider.weights.set(columns.weights);
  wider.timestamps.set(columns.timestamps);
  Object.assign(columns, wider, { length: columns.length });
}
