import { seededRandom } from "../../../models/data/random.ts";
import { decide } from "../../../models/gate/decide.ts";
import {
  type Decision,
  GENESIS_SHA256,
  recomputeDecision,
  recordDecision,
  serialiseDecision,
  verifyDecisions,
} from "../../../models/gate/decision.ts";
import { planTest } from "../../../models/gate/e-process.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { screen } from "../../../models/gate/screen.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";
import { brokenChallengers } from "./broken-challengers.ts";
import { type Draw, NULLS, PLANNED_LIFT, SKEWED_NULL, shiftedBy } from "./nulls.ts";
import { promotedByEitherRoute } from "./routes.ts";
import {
  naiveRepeatedTTest,
  promotedShare,
  promotingFamilies,
  usersUntilProven,
  withUnit,
} from "./sequential.ts";

export interface Proof {
  readonly what: string;
  readonly mustHold: string;
  readonly obtained: string;
  readonly ok: boolean;
}

export interface ProofSize {
  readonly runs: number;
  readonly users: number;
  readonly families: number;
  readonly records: number;
}

export const SHORT: ProofSize = { runs: 400, users: 3000, families: 100, records: 20 };
export const LONG: ProofSize = { runs: 2000, users: 5000, families: 1000, records: 200 };

const LEVEL = 0.05;
const symmetric = NULLS["symmetric: −.3, 0, +.3"];
const test = planTest({ margin: 0, mde: 0.02, variance: 0.15, alpha: LEVEL });

/** Every proof in turn; a long one is computed when it is asked for. */
export function* proofs(size: ProofSize): Generator<Proof> {
  yield sameModel();
  for (const [name, draw] of Object.entries(NULLS))
    yield level(`no true lift, ${name}`, draw, test, size, 11);
  const margin = 0.01;
  const beyond = planTest({ margin, mde: 0.02, variance: 0.15, alpha: LEVEL });
  yield level("true mean exactly the margin", shiftedBy(symmetric, margin), beyond, size, 12);
  yield families(size);
  yield* routes(size);
  yield screenLevel(size);
  yield mutantTTest(size);
  yield* mutantUnit(size);
  yield power(size);
  for (const challenger of brokenChallengers(5)) yield refused(challenger);
  yield missing();
  yield replay(size);
}

function sameModel(): Proof {
  let promoted = 0;
  for (let run = 0; run < 200; run++) {
    const healthy = healthyEvidence({ users: 150, seed: run });
    const users = healthy.users.map((user) => ({ ...user, difference: 0 }));
    const lists = (healthy.lists ?? []).map(({ baseline }) => ({ challenger: baseline, baseline }));
    if (decide({ ...healthy, users, lists }, DEFAULT_POLICY).verdict === "pass") promoted++;
  }
  return {
    what: "same model as challenger",
    mustHold: "0 of 200 promoted",
    obtained: `${promoted} of 200`,
    ok: promoted === 0,
  };
}

function level(what: string, draw: Draw, at: typeof test, size: ProofSize, seed: number): Proof {
  const share = promotedShare(draw, at, size, seed);
  return atMost(`${what} (${size.runs} × ${size.users} users, a look after each)`, share, LEVEL);
}

function families(size: ProofSize): Proof {
  const share = promotingFamilies(symmetric, { families: size.families, challengers: 50, users: 1000 }, 13);
  return atMost(`50 null challengers in a row (${size.families} families × 1000 users each)`, share, LEVEL);
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

function power(size: ProofSize): Proof {
  const random = seededRandom(17);
  const planned = planTest({ margin: 0, mde: 0.02, variance: 0.15, alpha: 0.025 });
  let found = 0;
  for (let run = 0; run < size.runs; run++) {
    if (usersUntilProven(PLANNED_LIFT, planned, 4800, random) !== null) found++;
  }
  const share = found / size.runs;
  return {
    what: `power: σ² .15, lift .02, α .025 (${size.runs} runs)`,
    mustHold: "≥ 80 % by 4,800 users",
    obtained: percent(share),
    ok: share >= 0.8,
  };
}

function refused(challenger: ReturnType<typeof brokenChallengers>[number]): Proof {
  const { verdict, reasons } = decide(challenger.evidence, DEFAULT_POLICY);
  return {
    what: `+0.10 planted, but: ${challenger.name}`,
    mustHold: `refused, ${challenger.expected}`,
    obtained: `${verdict}, ${reasons.join(" ")}`,
    ok: verdict === "reject" && reasons.includes(challenger.expected),
  };
}

function missing(): Proof {
  const healthy = healthyEvidence();
  const nullable = Object.keys(healthy).filter((key) => !KEPT.has(key));
  const held = nullable.filter(
    (key) => decide({ ...healthy, [key]: null } as ShadowEvidence, DEFAULT_POLICY).verdict === "hold",
  );
  return {
    what: `missing evidence, each of ${nullable.length} pieces`,
    mustHold: "hold, always",
    obtained: `${held.length} of ${nullable.length} held`,
    ok: held.length === nullable.length,
  };
}

/** Not evidence that can be missing in an UPGRADE judged by its shadow. */
const KEPT = new Set(["kind", "challenger", "baseline", "users", "interleaving", "lastUpgrade"]);

function replay(size: ProofSize): Proof {
  const chain: Decision[] = [];
  for (let index = 0; index < size.records; index++) {
    const evidence = healthyEvidence({ users: 150, lift: [0.1, 0.005, -0.05][index % 3], seed: index });
    const previousSha256 = chain.at(-1)?.sha256 ?? GENESIS_SHA256;
    const context = {
      policy: DEFAULT_POLICY,
      actor: "proof",
      at: "2026-01-01T00:00:00.000Z",
      previousSha256,
    };
    chain.push(recordDecision({ about: "shadow", evidence }, context));
  }
  const stored = chain.map((decision) => JSON.parse(serialiseDecision(decision)) as Decision);
  const same = stored.filter((decision) => {
    const { sameE, sameAlpha, sameVerdict } = recomputeDecision(decision);
    return sameE && sameAlpha && sameVerdict;
  });
  const verdicts = new Set(stored.map(({ ruling }) => ruling.verdict)).size;
  const broken = verifyDecisions(stored);
  return {
    what: `${size.records} stored records judged again`,
    mustHold: "same E and α to 1e-9, same verdict, chain whole",
    obtained: `${same.length} same (${verdicts} kinds of verdict), chain ${broken === null ? "whole" : "broken"}`,
    ok: same.length === stored.length && broken === null && verdicts === 3,
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
