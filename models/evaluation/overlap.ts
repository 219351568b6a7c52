/** overlap@k = |A ∩ B| / max(|A|, |B|) over the first k places of each; 1 when both lists are empty. */
export function overlap<Item>(a: readonly Item[], b: readonly Item[], k: number): number {
  const first = new Set(a.slice(0, k));
  const second = new Set(b.slice(0, k));
  let shared = 0;
  for (const item of first) if (second.has(item)) shared++;
  const longer = Math.max(first.size, second.size);
  return longer === 0 ? 1 : shared / longer;
}

/**
 * Rank-biased overlap of two lists without repeats, extrapolated to infinite depth (RBO_ext): 1 for the same
 * order, 0 for disjoint lists; `persistence` p is the chance that a reader looks one place further.
 * With s ≤ l the two lengths and X_d the overlap at depth d:
 * RBO = (1−p)/p · (Σ_{d≤l} X_d/d·p^d + Σ_{s<d≤l} X_s(d−s)/(s·d)·p^d) + ((X_l − X_s)/l + X_s/s)·p^l.
 * Source: Webber, Moffat & Zobel, ACM TOIS 28(4), 2010, equation 32.
 */
export function rankBiasedOverlap<Item>(a: readonly Item[], b: readonly Item[], persistence = 0.9): number {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length === 0) return 1;
  if (short.length === 0) return 0;
  const seenShort = new Set<Item>();
  const seenLong = new Set<Item>();
  let agreed = 0;
  let agreedAtShort = 0;
  let sum = 0;
  for (let depth = 1; depth <= long.length; depth++) {
    const weight = persistence ** depth;
    const fromLong = long[depth - 1];
    seenLong.add(fromLong);
    if (depth <= short.length) {
      const fromShort = short[depth - 1];
      seenShort.add(fromShort);
      if (fromShort !== fromLong && seenLong.has(fromShort)) agreed++;
    }
    if (seenShort.has(fromLong)) agreed++;
    if (depth === short.length) agreedAtShort = agreed;
    sum += (agreed / depth) * weight;
    if (depth > short.length) {
      sum += ((agreedAtShort * (depth - short.length)) / (short.length * depth)) * weight;
    }
  }
  const tail = (agreed - agreedAtShort) / long.length + agreedAtShort / short.length;
  return ((1 - persistence) / persistence) * sum + tail * persistence ** long.length;
}
