import { seededRandom } from "../../../models/data/random.ts";
import { alphaOfAttempt } from "../../../models/gate/alpha-spending.ts";
import { planTest } from "../../../models/gate/e-process.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { usersForPower } from "../../../models/gate/power.ts";
import { screen } from "../../../models/gate/screen-bounds.ts";
import { alphaOfStage } from "../../../models/gate/stage.ts";
import { challengersInARow, promotedOverAnyBaseline } from "./all-pairs.ts";
import { brokenChallengers } from "./broken-challengers.ts";
import { type Draw, NULLS, PLANNED_LIFT, SKEWED_NULL, withMean } from "./nulls.ts";
import type { Proof, ProofSize } from "./proof.ts";
import { provenWhileRefreshed } from "./refreshes.ts";
import { promotedByEitherRoute } from "./routes.ts";
import { PLANTED, samplingError } from "./sample.ts";
import {
  naiveRepeatedTTest,
  PLANNED,
  promotedShare,
  promotingFamilies,
  usersUntilProven,
  withUnit,
} from "./sequential.ts";
import { missing, refused, replay, sameModel } from "./verdicts.ts";

export const SHORT: ProofSize = { runs: 400, users: 3000, families: 100, records: 20 };
export const LONG: ProofSize = { runs: 2000, users: 5000, families: 1000, records: 200 };

const LEVEL = 0.05;
const symmetric = NULLS["symmetric: −.3, 0, +.3"];
const test = planTest(PLANNED);
/** A holdout that promised ten times too much: it bets all it may, and comes nearest to spending its α. */
const BOLD = { ...PLANNED, excess: 0.2 };

/** Every proof in turn; a long one is computed when it is asked for. */
export function* proofs(size: ProofSize): Generator<Proof> {
  yield sameModel("UPGRADE", 150, 200);
  yield sameModel("REFRESH", 5000, size.runs / 10);
  for (const [name, draw] of Object.entries(NULLS)) {
    yield level(`no true lift, ${name}`, draw, test, size, 11);
    yield bold(`no true lift, ${name}`, draw, 0, size, 11);
  }
  for (const [kind, margin] of [
    ["upgrade", 0.01],
    ["refresh", -0.002],
  ] as const) {
    for (const [name, draw] of Object.entries(NULLS)) {
      const what = `true mean exactly δ of ${kind === "upgrade" ? "an upgrade" : "a refresh"}, ${name}`;
      yield bold(what, withMean(draw, margin), margin, size, 12);
    }
  }
  yield families(size);
  yield allPairs(size);
  yield* inARow(size);
  yield* refreshes(size);
  yield* samples();
  yield* routes(size);
  yield screenLevel(size);
  yield mutantTTest(size);
  yield* mutantUnit(size);
  yield* power(size);
  for (const challenger of brokenChallengers(5)) yield refused(challenger);
  yield missing();
  yield replay(size);
}

function level(what: string, draw: Draw, at: typeof test, size: ProofSize, seed: number): Proof {
  const share = promotedShare(draw, at, size, seed);
  return atMost(`${what} (${size.runs} × ${size.users} users, a look after each)`, share, LEVEL);
}

/** Bold bets are settled early: more runs of fewer users tell more. */
function bold(what: string, draw: Draw, margin: number, size: ProofSize, seed: number): Proof {
  const runs = 4 * size.runs;
  const users = size.users / 8;
  const share = promotedShare(draw, planTest({ ...BOLD, margin }), { runs, users }, seed);
  // Such bets spend nearly all of α, so that half of all simulations lie above it: within their error they may.
  const error = simulationError(runs);
  return {
    what: `${what}, bold bets (${runs} × ${users} users, a look after each)`,
    mustHold: `≤ ${percent(LEVEL)} promoted, ± ${percent(error)} of simulation`,
    obtained: percent(share),
    ok: share <= LEVEL + error,
  };
}

/** Three standard errors of a share that is α. */
function simulationError(runs: number): number {
  return 3 * Math.sqrt((LEVEL * (1 - LEVEL)) / runs);
}

function families(size: ProofSize): Proof {
  const share = promotingFamilies(symmetric, { families: size.families, challengers: 50, users: 1000 }, 13);
  return atMost(`50 null challengers in a row (${size.families} families × 1000 users each)`, share, LEVEL);
}

/** All pairs at once, baselines changing in between. */
function allPairs(size: ProofSize): Proof {
  const share = promotedOverAnyBaseline({ runs: size.families, users: 300, models: 6 }, 23);
  const what = `5 models without lift, all pairs, changing baselines (${size.families} × 300 users)`;
  return atMost(`${what}: any over a given baseline`, share, LEVEL);
}

/** 200 challengers in a row, for each way to spend α. */
function* inARow(size: ProofSize): Generator<Proof> {
  const row = { rows: Math.ceil(size.families / 2), challengers: 200, users: 200 };
  const error = simulationError(row.rows);
  const nulls = challengersInARow("family", { ...row, lifted: 0 }, 24);
  yield {
    what: `200 null challengers in a row, family (${row.rows} rows)`,
    mustHold: `≤ ${percent(LEVEL)} promoted, ± ${percent(error)} of simulation`,
    obtained: percent(nulls.anyFalse),
    ok: nulls.anyFalse <= LEVEL + error,
  };
  for (const lifted of [0, 0.2]) {
    const { falseShare, found } = challengersInARow("fdr", { ...row, lifted }, 25);
    yield {
      what: `200 challengers in a row, fdr, ${percent(lifted)} with a lift (${row.rows} rows)`,
      mustHold: `≤ ${percent(LEVEL)} of promotions without one, ± ${percent(error)} of simulation`,
      obtained: `${percent(falseShare)}${lifted > 0 ? `, ${percent(found)} of the lifts found` : ""}`,
      ok: falseShare <= LEVEL + error,
    };
  }
}

/** A line that is retrained every day goes on with its test: no more is promoted, and no lift is lost. */
function* refreshes(size: ProofSize): Generator<Proof> {
  const row = { rows: size.families, days: 200, usersADay: 10 };
  for (const spending of ["family", "fdr"] as const) {
    const none = provenWhileRefreshed("continues", spending, { ...row, lift: 0 }, 27);
    yield atMost(`a line without lift refreshed 200 times, ${spending} (${row.rows} rows)`, none, LEVEL);
    const found = provenWhileRefreshed("continues", spending, { ...row, lift: 0.03 }, 28);
    yield {
      what: `a line with a lift refreshed every 10 users, 200 times, ${spending}`,
      mustHold: "≥ 95 % proven",
      obtained: percent(found),
      ok: found >= 0.95,
    };
    const anew = provenWhileRefreshed("anew", spending, { ...row, lift: 0.03 }, 28);
    yield {
      what: `mutant: the same, a test begun anew at each, ${spending}`,
      mustHold: "caught: < 50 % proven",
      obtained: percent(anew),
      ok: anew < 0.5,
    };
  }
}

/** A challenger that is better on late, or on first, requests only is judged by all of them. */
function* samples(): Generator<Proof> {
  for (const [name, planted] of Object.entries(PLANTED)) {
    const error = samplingError(planted, "hash", 500, 26);
    yield {
      what: `better on ${name}: the sample's mean less that of all requests (500 users)`,
      mustHold: "within ± 3 standard errors",
      obtained: error.toFixed(1),
      ok: Math.abs(error) <= 3,
    };
    const first = samplingError(planted, "first", 500, 26);
    yield {
      what: `mutant: the first 20 requests, better on ${name}`,
      mustHold: "caught: beyond ± 3 standard errors",
      obtained: first.toFixed(1),
      ok: Math.abs(first) > 3,
    };
  }
}

/** Whichever test decides, the two together spend α_k: the stage may change at any moment, the worst included. */
function* routes(size: ProofSize): Generator<Proof> {
  const crossing = `list-driven share crosses its limit (${size.runs} × ${size.users} users)`;
  yield atMost(
    `no true lift, ${crossing}, at random`,
    promotedByEitherRoute("random", "split", size, 18),
    LEVEL,
  );
  yield atMost(
    `no true lift, ${crossing}, at the end`,
    promotedByEitherRoute("late", "split", size, 18),
    LEVEL,
  );
  yield caught(
    "mutant: shadow and interleaving at the whole α each",
    promotedByEitherRoute("late", "whole", size, 18),
  );
}

function screenLevel(size: ProofSize): Proof {
  const random = seededRandom(14);
  let passed = 0;
  for (let run = 0; run < size.runs; run++) {
    const differences = Array.from({ length: 200 }, () => SKEWED_NULL(random));
    if (screen(differences, 0, DEFAULT_POLICY.screen, run).outcome === "passed") passed++;
  }
  // A fixed-size approximate test: its level may stray from α by what the runs can tell, and a little more.
  return atMost(`screen on a skewed null of 200 users (${size.runs} runs)`, passed / size.runs, 0.075);
}

function mutantTTest(size: ProofSize): Proof {
  const share = naiveRepeatedTTest(symmetric, size, 15);
  return caught("mutant: t-test repeated every 100 users", share);
}

function* mutantUnit(size: ProofSize): Generator<Proof> {
  const small = { runs: Math.ceil(size.runs / 4), users: 1000 };
  yield atMost("correlated requests, the user as unit", withUnit("user", test, small, 16), LEVEL);
  yield caught("mutant: the request as unit", withUnit("request", test, small, 16));
}

/** At the α that EVALUATION plans with, and at what the default policy leaves the shadow of a first attempt. */
function* power(size: ProofSize): Generator<Proof> {
  yield powerAt(0.025, "≥ 80 % by 4,800 users", size, 4800);
  const alpha = alphaOfStage(alphaOfAttempt(LEVEL, 1), "shadow", DEFAULT_POLICY);
  const n80 = usersForPower(planTest({ ...PLANNED, alpha }), 0.02, 0.15, 0.8) ?? 0;
  yield powerAt(alpha, `≥ 80 % by n_80 = ${n80.toLocaleString("en")} users`, size, n80);
}

function powerAt(alpha: number, mustHold: string, size: ProofSize, users: number): Proof {
  const random = seededRandom(17);
  const planned = planTest({ ...PLANNED, alpha });
  let found = 0;
  for (let run = 0; run < size.runs; run++) {
    if (usersUntilProven(PLANNED_LIFT, planned, users, random) !== null) found++;
  }
  const share = found / size.runs;
  return {
    what: `power: σ² .15, lift .02, α ${alpha} (${size.runs} runs)`,
    mustHold,
    obtained: percent(share),
    ok: share >= 0.8,
  };
}

function atMost(what: string, share: number, limit: number): Proof {
  return { what, mustHold: `≤ ${percent(limit)} promoted`, obtained: percent(share), ok: share <= limit };
}

/** A proof that cannot tell a broken gate from a sound one proves nothing. */
function caught(what: string, share: number): Proof {
  return {
    what,
    mustHold: `caught: > ${percent(LEVEL)} promoted`,
    obtained: percent(share),
    ok: share > LEVEL,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
