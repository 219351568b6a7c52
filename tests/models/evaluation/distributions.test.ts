import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  betaCdf,
  betaQuantile,
  binomialCdf,
  logGamma,
  logNormalCdf,
  normalCdf,
} from "../../../models/evaluation/distributions.ts";
import { clopperPearson, quantileBounds } from "../../../models/gate/binomial-bounds.ts";

// SciPy 1.17.1; the command above each table printed its last column with repr().
const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `expected ${expected}, got ${actual}`,
  );

describe("distributions agree with SciPy to 1e-9", () => {
  it("the normal CDF", () => {
    // [stats.norm.cdf(x) for x in (-8, -3, -1.2, 0, 0.7, 2.9, 4)]
    const table = [
      [-8, 6.22096057427174e-16],
      [-3, 0.0013498980316300933],
      [-1.2, 0.11506967022170822],
      [0, 0.5],
      [0.7, 0.758036347776927],
      [2.9, 0.998134186699616],
      [4, 0.9999683287581669],
    ];
    for (const [x, expected] of table) close(normalCdf(x) / expected, 1);
  });

  it("its logarithm, far into the tail", () => {
    // [stats.norm.logcdf(x) for x in (-40, -8, -2.9, -2.8, 1, 3, 6)]
    const table = [
      [-40, -804.6084420137539],
      [-8, -35.01343715991456],
      [-2.9, -6.284058234947419],
      [-2.8, -5.9696520466752085],
      [1, -0.1727537790234499],
      [3, -0.0013508099647481925],
      [6, -9.86587645524372e-10],
    ];
    for (const [x, expected] of table) close(logNormalCdf(x), expected);
  });

  it("ln Γ", () => {
    // [special.gammaln(x) for x in (.1, 1.5, 10, 1234.5)]
    const table = [
      [0.1, 2.252712651734206],
      [1.5, -0.12078223763524526],
      [10, 12.801827480081469],
      [1234.5, 7550.550901077894],
    ];
    for (const [x, expected] of table) close(logGamma(x), expected);
  });

  it("the beta CDF, and its quantile inverts it", () => {
    // [stats.beta.cdf(*a) for a in ((.3, 2, 5), (.99, .5, .5), (.001, 3, 4000), (.9, 40, 3))]
    const table = [
      [0.3, 2, 5, 0.5798250000000003],
      [0.99, 0.5, 0.5, 0.9362314391414803],
      [0.001, 3, 4000, 0.7623361842029827],
      [0.9, 40, 3, 0.19510765482693676],
    ];
    for (const [x, a, b, expected] of table) {
      close(betaCdf(x, a, b), expected);
      close(betaQuantile(expected, a, b), x);
    }
  });

  it("the binomial CDF", () => {
    // [stats.binom.cdf(*a) for a in ((3, 10, .4), (295, 299, .99), (0, 50, .02), (4990, 5000, .998))]
    const table = [
      [3, 10, 0.4, 0.3822806015999999],
      [295, 299, 0.99, 0.3505145267864329],
      [0, 50, 0.02, 0.3641696800871171],
      [4990, 5000, 0.998, 0.5421955375724617],
    ];
    for (const [k, n, p, expected] of table) close(binomialCdf(k, n, p), expected);
    assert.equal(binomialCdf(-1, 5, 0.5), 0);
    assert.equal(binomialCdf(5, 5, 0.5), 1);
  });
});

describe("Clopper–Pearson bounds", () => {
  it("agree with SciPy's beta quantiles", () => {
    // (stats.beta.ppf(.05, x, n-x+1), stats.beta.ppf(.95, x+1, n-x))
    const table = [
      [0, 2995, 0, 0.000999744420901142],
      [3, 1000, 0.0008181753982218001, 0.007735244718479458],
      [50, 5000, 0.007800792743395633, 0.012640571638739075],
      [7, 9, 0.45035835049338985, 0.9589768324930035],
    ];
    for (const [failures, trials, lower, upper] of table) {
      const bounds = clopperPearson(failures, trials, 0.95);
      close(bounds.lower, lower);
      close(bounds.upper, upper);
    }
  });
  it("reach 1 when everything failed and refuse impossible counts", () => {
    assert.equal(clopperPearson(5, 5, 0.95).upper, 1);
    assert.throws(() => clopperPearson(6, 5, 0.95), /0 ≤ failures ≤ trials/);
  });
});

describe("quantile bounds from order statistics", () => {
  const oneTo = (count: number) => Array.from({ length: count }, (_, index) => count - index);

  it("take the ranks that the binomial gives", () => {
    // [(min(k for k in range(1, n+1) if binom.cdf(k-1, n, .99) >= .95),
    //   max(k for k in range(1, n+1) if binom.sf(k-1, n, .99) >= .95)) for n in (299, 500, 1000, 5000)]
    const table = [
      [299, 293, 299],
      [500, 491, 499],
      [1000, 985, 996],
      [5000, 4938, 4962],
    ];
    for (const [count, lower, upper] of table) {
      const { estimate, ...bounds } = quantileBounds(oneTo(count), 0.99, 0.95);
      assert.deepEqual(bounds, { lower, upper });
      assert.equal(estimate, Math.ceil(0.99 * count));
    }
  });
  it("have no upper bound below 299 samples: even the largest could lie under the p99", () => {
    assert.equal(quantileBounds(oneTo(298), 0.99, 0.95).upper, null);
    assert.deepEqual(quantileBounds([], 0.99, 0.95), { estimate: Number.NaN, lower: null, upper: null });
  });
});
