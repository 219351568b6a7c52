/** ln Γ(x), x > 0. Lanczos approximation, g = 7, nine terms (Godfrey 2001); relative error near 1e-15. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let series = LANCZOS[0];
  for (let term = 1; term < LANCZOS.length; term++) series += LANCZOS[term] / (shifted + term);
  const base = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(series);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/**
 * Regularised incomplete beta I_x(a, b): the CDF of Beta(a, b).
 * Continued fraction of Press et al., Numerical Recipes, section 6.4, by Lentz's method.
 */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const guarded = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / guarded(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return fraction;
}

/** Quantile of Beta(a, b) by bisection to the last bit. */
export function betaQuantile(probability: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (betaCdf(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** t with P(T ≤ t) = probability ≥ ½ for Student's T: t = √(ν(1/x − 1)), x = Beta⁻¹(2(1 − p); ν/2, ½). */
export function tQuantile(probability: number, degreesOfFreedom: number): number {
  const x = betaQuantile(2 * (1 - probability), degreesOfFreedom / 2, 0.5);
  return Math.sqrt(degreesOfFreedom * (1 / x - 1));
}

/** P(X ≤ k) for X ~ Binomial(n, p) = I_{1−p}(n − k, k + 1). */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  return k >= n ? 1 : betaCdf(1 - p, n - k, k + 1);
}

/** Φ(x), the standard normal CDF. */
export function normalCdf(x: number): number {
  return x > 0 ? 1 - Math.exp(logNormalCdf(-x)) : Math.exp(logNormalCdf(x));
}

/**
 * ln Φ(x), also where Φ itself underflows. Taylor series of erf near 0, the continued fraction of erfc
 * (Abramowitz & Stegun 7.1.5 and 7.1.14) in the lower tail.
 */
export function logNormalCdf(x: number): number {
  const z = -x / Math.SQRT2;
  if (z > 2) return -z * z + Math.log(erfcFraction(z) / (2 * Math.sqrt(Math.PI)));
  if (z < -2) return Math.log1p((-Math.exp(-z * z) * erfcFraction(-z)) / (2 * Math.sqrt(Math.PI)));
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return Math.log(0.5 - sum / Math.sqrt(Math.PI));
}

/** √π·exp(z²)·erfc(z) for z ≥ 2: 1/(z + ½/(z + 1/(z + 3/2/(z + …)))). */
function erfcFraction(z: number): number {
  let fraction = z;
  for (let term = 120; term >= 1; term--) fraction = z + term / 2 / fraction;
  return 1 / fraction;
}
