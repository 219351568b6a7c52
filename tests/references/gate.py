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


# -- the first design's e-process: fixed bets on differences in [−1, 1]
def first_bets(mde, margin, variance):
    gap = max(mde - margin, mde / 2)
    return [min(0.95, gap / variance), 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8], [0.5] + [0.5 / 7] * 7


def first_log_e(d, lambdas, weights, margin):
    capped = np.minimum(lambdas, 1 / (1 + margin))
    wealth = [np.log1p(l * (d - margin)).sum() for l in capped]
    return special.logsumexp(np.log(weights) + wealth)


def first_bound(d, lambdas, weights, alpha):
    return optimize.brentq(lambda m: first_log_e(d, lambdas, weights, m) + np.log(alpha), -0.9, 0.999, xtol=1e-15)


FIRST = [
    ("firstUpgrade", FOUR_HUNDRED, 0.02, 0.004, 0.15, 0.025),
    ("firstRefresh", FOUR_HUNDRED - 0.09, 0.02, -0.003, 0.05, 0.025),
    ("firstCapped", np.tile([1, 1, 0.95, 1], 50), 0.95, 0.9, 0.01, 0.025),
]
for name, d, mde, margin, variance, alpha in FIRST:
    lambdas, weights = first_bets(mde, margin, variance)
    say(f"{name}LogE", first_log_e(d, lambdas, weights, margin))
    say(f"{name}Bound", first_bound(d, lambdas, weights, alpha))


# a proven loss: the same bets on −d, against min(0, δ)
def first_proven_loss(d, mde, margin, variance, alpha):
    ceiling = min(0, margin)
    lambdas, weights = first_bets(mde - ceiling, -ceiling, variance)
    return next(n for n in range(1, len(d) + 1) if first_log_e(-d[:n], lambdas, weights, -ceiling) >= -np.log(alpha))


say("firstLossUsers", [first_proven_loss(-FOUR_HUNDRED, 0.02, m, 0.05, 0.025) for m in (0.004, -0.01)])


# -- the e-process: planned, kelly, half of kelly, and a grid, on differences in [−τ, τ]
WEIGHTS = np.array([0.3, 0.4, 0.1] + [0.2 / 6] * 6)


def stakes(d, margin, tau, excess, variance):
    """(9 × users) the bets on each user, from what was known before"""
    x = np.asarray(d, float) - margin
    boldest, square = 0.98 / (tau + margin), variance + excess**2
    before = np.concatenate([[0], np.cumsum(x)[:-1]]), np.concatenate([[0], np.cumsum(x * x)[:-1]])
    kelly = np.clip((30 * excess + before[0]) / (30 * square + before[1]), 0, boldest)
    planned = np.full(len(x), np.clip(excess / square, 0, boldest))
    return np.array([planned, kelly, kelly / 2, *[np.full(len(x), boldest * 0.5**j) for j in range(6)]])


def log_e(d, placed, margin, tau):
    factors = np.minimum(placed, 0.98 / (tau + margin)) * (np.asarray(d) - margin)
    return special.logsumexp(np.log(WEIGHTS) + np.log1p(factors).sum(1))


def first_above(d, placed, margin, alpha):
    path = special.logsumexp(np.log(WEIGHTS)[:, None] + np.log1p(placed * (d - margin)).cumsum(1), axis=0)
    return int(np.argmax(path >= -np.log(alpha))) + 1


TESTS = [
    # name, differences, δ, τ, m_0, σ², α
    ("upgrade", FOUR_HUNDRED, 0.004, 0.6, 0.02, 0.04, 0.025),
    ("refresh", FOUR_HUNDRED - 0.09, -0.003, 0.6, 0.02, 0.04, 0.025),
    ("votes", VOTES, 0, 1, 0.05, 1, 0.05 / 6 * 0.5),
]
for name, d, margin, tau, excess, variance, alpha in TESTS:
    placed = stakes(d, margin, tau, excess, variance)
    say(f"{name}LogE", log_e(d, placed, margin, tau))
    say(f"{name}Bound", optimize.brentq(lambda m: log_e(d, placed, m, tau) + np.log(alpha), -0.99 * tau, tau, xtol=1e-15))
say("provenUsers", first_above(FOUR_HUNDRED, stakes(FOUR_HUNDRED, 0.004, 0.6, 0.02, 0.04), 0.004, 0.025))

# futility: the mirrored test on −d, H0: mean ≥ δ, for MDE .02 and a holdout that found .03 beyond the margin
placed = stakes(-(FOUR_HUNDRED - 0.15), -0.004, 0.6, 0.02 / 2, 0.04)
say("futileUsers", first_above(-(FOUR_HUNDRED - 0.15), placed, -0.004, 0.05))

# a plan from the holdout: τ, mean and variance of the capped difference
BASELINES = np.tile([0.1, 0.3, 0, 0.2, 0.4, 0.05, 0.1, 0.7, 0.2, 0.3], 8)
cap = np.quantile(np.concatenate([BASELINES + EIGHTY, BASELINES]), 0.99)
capped = np.minimum(BASELINES + EIGHTY, cap) - np.minimum(BASELINES, cap)
say("figurePlan", [cap, capped.mean(), capped.var(ddof=1)])


# -- planned length: the quickest bet's inverse Gaussian first passage
def passage(g, v, barrier, power):
    law = stats.invgauss(barrier / g / (barrier**2 / v**2), scale=barrier**2 / v**2)
    return optimize.brentq(lambda n: law.cdf(n) - power, 1e-9, 1e7, xtol=1e-12, rtol=1e-14)


def quickest(lambdas, weights, gap, variance, alpha, power, wealth=None):
    times = []
    for l, w, before in zip(lambdas, weights, np.zeros(len(weights)) if wealth is None else wealth):
        drift = l * gap - l * l * (variance + gap * gap) / 2
        if drift > 0:
            times.append(passage(drift, l * np.sqrt(variance), -np.log(alpha) - np.log(w) - before, power))
    return int(np.ceil(min(times)))


def learned(lambdas, gap, variance):
    """Kelly's bet as what it comes to, at half of its stake"""
    kelly = np.clip(gap / (variance + gap * gap), 0, max(lambdas))
    return np.array([lambdas[0], kelly, kelly / 2, *lambdas[3:]]), WEIGHTS * np.array([1, 0.5] + [1] * 7)


say("n80", [
    quickest(*learned(stakes([0], m, tau, excess, v)[:, 0], excess, v), excess, v, alpha, 0.8)
    for m, tau, excess, v, alpha in [(0, 1, 0.02, 0.15, 0.025), (0.004, 0.3, 0.006, 0.0056, 0.0125)]
])
placed = stakes(TEN, 0.004, 0.6, 0.02, 0.04)
wealth = np.log1p(placed * (TEN - 0.004)).sum(1)
after = stakes(np.append(TEN, 0), 0.004, 0.6, 0.02, 0.04)[:, -1]
gap, variance = TEN.mean() - 0.004, TEN.var(ddof=1)
say("moreUsers", quickest(*learned(after, gap, variance), gap, variance, 0.025, 0.5, wealth))
say("firstN80", [
    quickest(*first_bets(0.02, 0, 0.15), 0.02, 0.15, 0.025, 0.8),
    quickest(*first_bets(0.01, 0.004, 0.0056), 0.006, 0.0056, 0.0125, 0.8),
])


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
