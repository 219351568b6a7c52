import { seededRandom, shuffle } from "../../../models/data/random.ts";
import { mean } from "../../../models/evaluation/moments.ts";
import { alphaOfAttempt } from "../../../models/gate/alpha-spending.ts";
import { planFigure } from "../../../models/gate/capped-figure.ts";
import { type Climber, whoClimbs } from "../../../models/gate/climb.ts";
import {
  type EProcessState,
  isProven,
  nextEProcess,
  type SequentialTest,
  startEProcess,
} from "../../../models/gate/e-process.ts";
import { marginOf } from "../../../models/gate/margin.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { usersStillNeeded } from "../../../models/gate/power.ts";
import { alphaOfStage } from "../../../models/gate/stage.ts";
import { cappedTest } from "../../../models/gate/test-plan.ts";
import type { Phase } from "../../../models/recipe.ts";
import type { RealFigures } from "./real-users.ts";

const PHASES: Readonly<Record<string, Phase>> = {
  popularity: 1,
  "popular-lately": 1,
  "item-knn": 2,
  als: 3,
  "slist-als": 3,
  "neural-blend": 4,
};
/** As the demo's: nearly all of α is the shadow's. */
const POLICY = { ...DEFAULT_POLICY, interleaving: { ...DEFAULT_POLICY.interleaving, alphaShare: 0.1 } };

interface Pair {
  readonly test: SequentialTest;
  readonly cap: number;
  state: EProcessState;
  passedAt: number | null;
}

export interface Step {
  readonly users: number;
  readonly version: string;
}

/**
 * The climb of the same users in some order: all pairs from the start, the gate's own margins, tests and choice of who
 * climbs. Nobody foretells a lift here, because there are no other users for a holdout.
 */
export function climb(figures: RealFigures, seed: number): readonly Step[] {
  const names = Object.keys(PHASES);
  const users = figures[names[0]].length;
  const order = shuffle(
    Array.from({ length: users }, (_, user) => user),
    seededRandom(seed),
  );
  const pairs = new Map<string, Pair>();
  for (const baseline of names) {
    const challengers = names.filter((name) => name !== baseline && PHASES[name] >= PHASES[baseline]);
    for (const [place, challenger] of challengers.entries()) {
      pairs.set(`${challenger}~${baseline}`, openPair(figures, challenger, baseline, place + 1));
    }
  }
  const steps: Step[] = [];
  let live = names[0];
  for (const [place, user] of order.entries()) {
    for (const [name, pair] of pairs) {
      const [challenger, baseline] = name.split("~");
      const figure = (of: string) => Math.min(figures[of][user], pair.cap);
      const difference = figure(challenger) - figure(baseline);
      pair.state = nextEProcess(pair.state, pair.test, difference);
      const isPast = place + 1 >= POLICY.shadow.minimumUsers;
      if (isPast && pair.passedAt === null && isProven(pair.state, pair.test)) pair.passedAt = place;
    }
    if (!names.some((version) => pairs.get(`${version}~${live}`)?.passedAt != null)) continue;
    const { climbs } = whoClimbs(
      names.flatMap((version) => {
        const pair = pairs.get(`${version}~${live}`);
        return pair === undefined ? [] : [climberOf(version, pair, place)];
      }),
      (challenger, baseline) => pairs.get(`${challenger}~${baseline}`)?.passedAt != null,
      { livePhase: PHASES[live], patienceUsers: POLICY.promotion.patienceUsers },
    );
    if (climbs === null) continue;
    live = climbs;
    steps.push({ users: place + 1, version: live });
  }
  return steps;
}

function climberOf(version: string, { passedAt, state, test }: Pair, place: number): Climber {
  const variance = state.squares / state.users - (state.sum / state.users) ** 2;
  return {
    version,
    phase: PHASES[version],
    cpuMsPerRequest: PHASES[version],
    passed: passedAt !== null,
    moreUsers: usersStillNeeded(state, test, test.margin + state.sum / state.users, variance),
    usersSincePass: passedAt === null ? 0 : place - passedAt,
  };
}

function openPair(figures: RealFigures, challenger: string, baseline: string, attempt: number): Pair {
  const rows = figures[challenger].map((figure, user) => ({
    challenger: figure,
    baseline: figures[baseline][user],
  }));
  const figure = { ...planFigure(rows), lift: undefined };
  const margin = marginOf(
    {
      kind: "UPGRADE",
      baselineMean: mean(figures[baseline]),
      phases: { challenger: PHASES[challenger], baseline: PHASES[baseline] },
      cpuMsPerRequest: { challenger: 2, baseline: 1 },
    },
    POLICY.margins,
  );
  const alpha = alphaOfStage(alphaOfAttempt(POLICY.alpha, attempt), "shadow", POLICY);
  const test = cappedTest({ margin, mde: POLICY.mde, variance: figure.variance, alpha, figure });
  return { test, cap: test.range, state: startEProcess(), passedAt: null };
}
