/**
 * scores = Σ_a scales[a] · row of history[a], rows sparse (items × items): starts (items + 1), columns, weights (nnz).
 * history and scales (length), newest first; scores (items) is overwritten. Returns how many entries had a say.
 */
export function sumHistoryRows(
  history: usize,
  scales: usize,
  length: usize,
  starts: usize,
  columns: usize,
  weights: usize,
  scores: usize,
  items: usize,
): usize {
  memory.fill(scores, 0, items << 2);
  let entries: usize = 0;
  for (let a: usize = 0; a < length; a++) {
    const start = starts + (<usize>load<u32>(history + (a << 2)) << 2);
    const first: usize = load<u32>(start);
    const last: usize = load<u32>(start, 4);
    const scale = load<f32>(scales + (a << 2));
    for (let slot = first << 2; slot < last << 2; slot += 4) {
      const score = scores + (<usize>load<u32>(columns + slot) << 2);
      store<f32>(score, load<f32>(score) + scale * load<f32>(weights + slot));
    }
    entries += last - first;
  }
  return entries;
}
