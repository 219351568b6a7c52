/** x̄ = Σ x_i / n; not a number for no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index];
  return sum / values.length;
}

/** s² = Σ (x_i − x̄)² / (n − 1). @throws RangeError for fewer than two values, which have no spread */
export function sampleVariance(values: ArrayLike<number>): number {
  if (values.length < 2) {
    throw new RangeError(`sample variance: expected two values or more, got ${values.length}`);
  }
  const centre = mean(values);
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += (values[index] - centre) ** 2;
  return squares / (values.length - 1);
}
