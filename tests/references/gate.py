"""Independent references for the gate's formulas, written with NumPy and SciPy alone.

Run: python3 tests/references/gate.py        (pip install numpy scipy; printed with SciPy 1.17.1, NumPy 2.4.6)

Prints one `name: value` a line, as they stand in tests/models/gate/references.test.ts. The bootstrap draws the very
resamples of the gate (the same generator, written here a second time), so that its bounds can be compared to 1e-9.
"""
import numpy as np
from scipy import optimize, special, stats


def integers(seed):
    """Draws like seededRandom(seed).integer(bound): sfc32 seeded through splitmix32."""
    mask = 0xFFFFFFFF
    mix = seed & mask

    def split():
        nonlocal mix
        mix = (mix + 0x9E3779B9) & mask
        z = mix
        z = ((z ^ (z >> 16)) * 0x21F0AAAD) & mask
        z = ((z ^ (z >> 15)) * 0x735A2D97) & mask
        return z ^ (z >> 15)

    a, b, c, counter = split(), split(), split(), 1

    def bits():
        nonlocal a, b, c, counter
        t = (a + b + counter) & mask
        counter = (counter + 1) & mask
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & mask
        c = ((c << 21) | (c >> 11)) & mask
        c = (c + t) & mask
        return t

    for _ in range(12):
        bits()
    return lambda bound: int(bits() / 2**32 * bound)


def resamples(seed, users, rounds):
    draw = integers(seed)
    return np.array([[draw(users) for _ in range(users)] for _ in range(rounds)])


TEN = np.array([0.1, -0.05, 0, 0.3, -0.2, 0.25, 0.02, 0, 0.5, -0.1])
EIGHTY = np.tile(TEN, 8)
FOUR_HUNDRED = np.tile(TEN, 40)
VOTES = np.tile([1, 1, -1, 1 / 3, 0, -1, 1], 30)


def say(name, value):
    if isinstance(value, (list, tuple, np.ndarray)):
        print(f"{name}: [{', '.join(repr(float(one)) for one in value)}]")
    else:
        print(f"{name}: {value!r}" if isinstance(value, int) else f"{name}: {float(value)!r}")


# -- margins: m_b · min(.05, .01·Δphase + .01·max(0, log2(C_c/C_b))), and −.01·m_b for a refresh
say("margins", [0.3 * min(0.05, 0.01 * 1 + 0.01 * np.log2(6 / 2.5)), 0.3 * 0.05, -0.01 * 0.3])


# -- the e-process
def bets(mde, margin, variance):
    gap = max(mde - margin, mde / 2)
    return [min(0.95, gap / variance), 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8], [0.5] + [0.5 / 7] * 7


def log_e(d, lambdas, weights, margin):
    capped = np.minimum(lambdas, 1 / (1 + margin))
    wealth = [np.log1p(l * (d - margin)).sum() for l in capped]
    return special.logsumexp(np.log(weights) + wealth)


def bound(d, lambdas, weights, alpha):
    return optimize.brentq(lambda m: log_e(d, lambdas, weights, m) + np.log(alpha), -0.9, 0.999, xtol=1e-15)


for name, d, mde, margin, variance, alpha in [
    ("upgrade", FOUR_HUNDRED, 0.02, 0.004, 0.15, 0.025),
    ("refresh", FOUR_HUNDRED - 0.09, 0.02, -0.003, 0.05, 0.025),
    ("capped", np.tile([1, 1, 0.95, 1], 50), 0.95, 0.9, 0.01, 0.025),
    ("interleaved", VOTES, 0.05, 0, 1, 0.05 / 6 * 0.5),
]:
    lambdas, weights = bets(mde, margin, variance)
    say(f"{name}LogE", log_e(d, lambdas, weights, margin))
    say(f"{name}Bound", bound(d, lambdas, weights, alpha))


# -- a proven loss: the same bets on −d, against min(0, δ)
def first_proven_loss(d, mde, margin, variance, alpha):
    ceiling = min(0, margin)
    lambdas, weights = bets(mde - ceiling, -ceiling, variance)
    return next(n for n in range(1, len(d) + 1) if log_e(-d[:n], lambdas, weights, -ceiling) >= -np.log(alpha))


say("provenLossUsers", [first_proven_loss(-FOUR_HUNDRED, 0.02, m, 0.05, 0.025) for m in (0.004, -0.01)])


# -- planned length: the quickest bet's inverse Gaussian first passage
def passage(g, v, barrier, power):
    law = stats.invgauss(barrier / g / (barrier**2 / v**2), scale=barrier**2 / v**2)
    return optimize.brentq(lambda n: law.cdf(n) - power, 1e-9, 1e7, xtol=1e-12, rtol=1e-14)


def quickest(lambdas, weights, gap, variance, alpha, power, wealth=np.zeros(8)):
    times = []
    for l, w, before in zip(lambdas, weights, wealth):
        drift = l * gap - l * l * (variance + gap * gap) / 2
        if drift > 0:
            times.append(passage(drift, l * np.sqrt(variance), -np.log(alpha) - np.log(w) - before, power))
    return int(np.ceil(min(times)))


say("n80", [
    quickest(*bets(0.02, 0, 0.15), 0.02, 0.15, 0.025, 0.8),
    quickest(*bets(0.01, 0.004, 0.0056), 0.006, 0.0056, 0.0125, 0.8),
])
lambdas, weights = bets(0.02, 0, 0.15)
wealth = [np.log1p(l * TEN).sum() for l in lambdas]
say("moreUsers", quickest(lambdas, weights, TEN.mean(), TEN.var(ddof=1), 0.025, 0.5, wealth))


# -- Stage A: t*_b = (mean*_b − d̄)/(s*_b/√n) over 2,000 resamples, bounds d̄ − q(t*)·s/√n
def studentised(d, seed, rounds=2000):
    n = len(d)
    x = d[resamples(seed, n, rounds)]
    t = (x.mean(1) - d.mean()) / (x.std(1, ddof=1) / np.sqrt(n))
    return d.mean() - np.quantile(t, [0.95, 0.05]) * d.std(ddof=1) / np.sqrt(n)


say("screenBounds", studentised(EIGHTY, 7))


# -- guardrails
def percentile(values, tails):
    return [float(np.quantile(values, tail)) for tail in tails]


TAILS = (0.05, 0.999)
USERS = 60
user = np.arange(USERS)
picks = resamples(20_261, USERS, 1000)
novelty = np.array([8 + (user % 5) / 10, 8.2 + (user % 3) / 10])
ratio = novelty[0][picks].mean(1) / novelty[1][picks].mean(1)
say("novelty", [novelty[0].mean() / novelty[1].mean(), *percentile(ratio, TAILS)])

# User u is shown items u … u+9 by the challenger, 2u … 2u+9 by the baseline, each modulo 90.
ours = np.array([[(u + place) % 90 for place in range(10)] for u in range(USERS)])
theirs = np.array([[(2 * u + place) % 90 for place in range(10)] for u in range(USERS)])
distinct = lambda lists: len(np.unique(lists))
logs = np.array([np.log(distinct(ours[pick]) / distinct(theirs[pick])) for pick in picks])
value = distinct(ours) / distinct(theirs)
say("coverage", [value, *(value * np.exp(np.array(percentile(logs, TAILS)) - logs.mean()))])


def gini(lists, catalogue):
    x = np.bincount(lists.ravel(), minlength=catalogue).astype(float)
    return np.abs(x[:, None] - x[None, :]).sum() / (2 * catalogue**2 * x.mean())


say("giniOfBoth", [gini(ours, 100), gini(theirs, 100)])

# Light users: difference cycling through TEN / 10, baseline .2 + .01·(u mod 4); the loss tolerated is 5 %.
difference, baseline = TEN[user % 10] / 10, 0.2 + 0.01 * (user % 4)
margins = difference + 0.05 * baseline
means = margins[resamples(20_262, USERS, 1000)].mean(1)
relative = np.array([margins.mean(), *percentile(means, TAILS)]) / baseline.mean() - 0.05
say("lightUsers", relative)

say("failureRate", [stats.beta.ppf(0.001, 3, 5000 - 2), stats.beta.ppf(0.95, 4, 5000 - 3)])
# p99 of 1 … 1000 ms: order statistics at 95 % upwards, and at 99.9 % both ways.
k = np.arange(1, 1001)
say("p99Ranks", [
    int(k[stats.binom.cdf(k - 1, 1000, 0.99) >= 0.95].min()),
    int(k[stats.binom.cdf(k - 1, 1000, 0.99) >= 0.999].min()),
    int(k[stats.binom.sf(k - 1, 1000, 0.99) >= 0.999].max()),
])

# -- fleet and drift
say("fleetErrorRate", stats.beta.ppf(0.001, 22, 1000 - 21))


def psi(expected, actual):
    e, a = [(np.array(one) + 0.5) / (np.array(one) + 0.5).sum() for one in (expected, actual)]
    return ((a - e) * np.log(a / e)).sum()


say("psi", [psi([10, 20, 30, 40], [40, 30, 20, 10]), psi([5, 0, 100], [0, 5, 90])])

# -- nDCG@10 with binary gain: hits at ranks 2, 3 and 7 of 5 relevant items
gain = lambda ranks: (1 / np.log2(np.array(ranks) + 1)).sum()
say("ndcg", gain([2, 3, 7]) / gain([1, 2, 3, 4, 5]))
