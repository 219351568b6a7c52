/**
 * What every list metric takes: a ranking, best first and free of repeats, and the non-empty set of items that
 * would have been right. Only the first k places count; a list shorter than k simply has no hits further down.
 */
export type ListMetric = <Item>(ranking: readonly Item[], relevant: ReadonlySet<Item>, k: number) => number;

/** A request without a relevant item has no score: it is dropped and counted before any metric sees it. */
export function requireRelevant(metric: string, relevant: ReadonlySet<unknown>): void {
  if (relevant.size === 0) {
    throw new RangeError(
      `${metric}: expected at least one relevant item, got none; drop the request and count it`,
    );
  }
}

/** Zero-based places of the hits among the first k, ascending. */
export function hitPlaces<Item>(ranking: readonly Item[], relevant: ReadonlySet<Item>, k: number): number[] {
  const places: number[] = [];
  const end = Math.min(k, ranking.length);
  for (let place = 0; place < end; place++) if (relevant.has(ranking[place])) places.push(place);
  return places;
}
