/** α_k = α / (k(k + 1)): all attempts at one baseline together spend at most α. */
export function alphaOfAttempt(alpha: number, attempt: number): number {
  if (!(Number.isInteger(attempt) && attempt >= 1)) {
    throw new RangeError(`alpha: expected attempt 1, 2, …, got ${attempt}`);
  }
  return alpha / (attempt * (attempt + 1));
}
