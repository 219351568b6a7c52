import { placeOf } from "./assignment.ts";

/**
 * Which of a user's requests are judged: a uniform sample of all that the user made in the panel period, the k with
 * the smallest hash of the request id. Never the first k: they are the coldest, and what wins there is not what wins
 * on the traffic. A hash needs no list of what came before, and every worker draws the same sample: a later request
 * with a smaller hash takes the place of the largest one held.
 */
export function samplePlace(requestId: string): number {
  return placeOf(requestId, "request-sample");
}

/** Whether a request enters a sample that holds these places, and which place it takes; null when it stays out. */
export function entersSample(
  held: readonly number[],
  place: number,
  size: number,
): { readonly replaces: number | null } | null {
  if (held.includes(place)) return null;
  if (held.length < size) return { replaces: null };
  const largest = Math.max(...held);
  return place < largest ? { replaces: largest } : null;
}

/** The sample of all requests at once, in their own order. */
export function sampleOf<T extends { readonly requestId: string }>(
  requests: readonly T[],
  size: number,
): readonly T[] {
  if (requests.length <= size) return requests;
  const places = requests.map(({ requestId }) => samplePlace(requestId));
  const bound = Float64Array.from(places).sort()[size - 1];
  return requests.filter((_, index) => places[index] <= bound).slice(0, size);
}
