/**
 * How much α each challenger may spend.
 * `family`: α_k = α/(k(k+1)) for the k-th line of challengers ever opened against a baseline; the chance that any of
 * them is promoted over that baseline without the lift is at most α, however many there are.
 * `fdr`: α_t = α·γ_t·(R + 1), γ_t = 1/(C·(t+1)·ln²(t+1)), for the t-th pair ever opened anywhere, with R promotions
 * before it was opened; of all promotions the expected share without the lift is at most α. For where one retrains for
 * ever and an occasional promotion for nothing costs little. Either is fixed when the pair opens.
 * Proof of the second: a promoted t has E_t ≥ 1/α_t, and then there are at least R + 1 promotions, so that what it
 * adds to the share is at most E_t·α_t/(R + 1) = E_t·α·γ_t, whose mean is at most α·γ_t under any dependence.
 * Source: Xu & Ramdas, Online multiple testing with e-values (e-LOND), AISTATS 2024.
 */
export interface Discovery {
  /** t */
  readonly pair: number;
  /** R */
  readonly promotions: number;
}

/** α_k of the k-th line at one baseline. */
export function alphaOfAttempt(alpha: number, attempt: number): number {
  if (!(Number.isInteger(attempt) && attempt >= 1)) {
    throw new RangeError(`alpha: expected attempt 1, 2, …, got ${attempt}`);
  }
  return alpha / (attempt * (attempt + 1));
}

/** C ≥ Σ_{n ≥ 2} 1/(n ln² n) = 2.10974…: what falls so slowly leaves something for the thousandth challenger too. */
const DISCOVERY_SUM = 2.10975;

/** α_t of the t-th pair of an installation, opened after `promotions` of those before it were promoted. */
export function alphaOfDiscovery(alpha: number, { pair, promotions }: Discovery): number {
  if (!(Number.isInteger(promotions) && promotions >= 0)) {
    throw new RangeError(`alpha: expected 0, 1, … promotions, got ${promotions}`);
  }
  if (!(Number.isInteger(pair) && pair >= 1)) {
    throw new RangeError(`alpha: expected pair 1, 2, …, got ${pair}`);
  }
  const share = 1 / (DISCOVERY_SUM * (pair + 1) * Math.log(pair + 1) ** 2);
  return Math.min(alpha, alpha * share * (promotions + 1));
}

/**
 * k of a line among all that were ever opened against a baseline, in the order of their first opening; the next
 * number where it was not. A refresh of a line goes on with its test, and so with its number.
 */
export function attemptOfLine(openedLines: readonly string[], line: string): number {
  const lines = [...new Set(openedLines)];
  const known = lines.indexOf(line);
  return known === -1 ? lines.length + 1 : known + 1;
}
