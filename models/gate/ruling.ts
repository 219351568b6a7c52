import { canonicalJson } from "../canonical-json.ts";
import { type CanaryEvidence, type CanaryRuling, judgeCanary } from "./canary.ts";
import { decide, type Outcome } from "./decide.ts";
import type { ShadowEvidence } from "./evidence.ts";
import { explain, explainCanary, explainScreen, explainWatch } from "./explain.ts";
import { explainFleet } from "./explain-fleet.ts";
import { type FleetEvidence, type FleetRuling, judgeFleet } from "./fleet.ts";
import type { Policy } from "./policy.ts";
import { type ScreenEvidence, type ScreenRuling, screenChallenger } from "./screen.ts";
import {
  explainSuspicions,
  holdWhereSuspect,
  type Suspected,
  suspicionsOfLift,
  suspicionsOfLoss,
} from "./vouching.ts";
import { judgeWatch, type WatchEvidence, type WatchRuling } from "./watch.ts";

/** What the gate rules on: for each kind of case its evidence and its ruling. */
interface Cases {
  readonly screen: { readonly evidence: ScreenEvidence; readonly ruling: ScreenRuling };
  readonly shadow: { readonly evidence: ShadowEvidence; readonly ruling: Suspected<Outcome> };
  readonly canary: { readonly evidence: CanaryEvidence; readonly ruling: Suspected<CanaryRuling> };
  readonly watch: { readonly evidence: WatchEvidence; readonly ruling: Suspected<WatchRuling> };
  readonly fleet: { readonly evidence: FleetEvidence; readonly ruling: FleetRuling };
}

export type CaseKind = keyof Cases;
export type EvidenceOf<Kind extends CaseKind> = Cases[Kind]["evidence"];
export type Ruling<Kind extends CaseKind = CaseKind> = Cases[Kind]["ruling"];

/** What was judged, with all of its evidence. */
export type Case = {
  [Kind in CaseKind]: { readonly about: Kind; readonly evidence: EvidenceOf<Kind> };
}[CaseKind];

/** The challenger is the newer version, whether it serves yet or not; the baseline the older one it is compared with. */
export interface ComparedVersions {
  readonly challenger: string;
  readonly baseline: string;
}

/** A case and what the gate says of it. */
export interface RuledCase<Kind extends CaseKind = CaseKind> extends ComparedVersions {
  readonly about: Kind;
  /** As it is written down: numbers that are not finite are null, and users have numbers for names. */
  readonly evidence: EvidenceOf<Kind>;
  readonly policy: Policy;
  readonly ruling: Ruling<Kind>;
  /** The ruling in one sentence. */
  readonly sentence: string;
}

interface Rule<Kind extends CaseKind> {
  readonly judge: (evidence: EvidenceOf<Kind>, policy: Policy) => Ruling<Kind>;
  readonly explain: (ruling: Ruling<Kind>, evidence: EvidenceOf<Kind>) => string;
  readonly versions: (evidence: EvidenceOf<Kind>) => ComparedVersions;
}

const RULES: { readonly [Kind in CaseKind]: Rule<Kind> } = {
  screen: { judge: screenChallenger, explain: explainScreen, versions: namedByRole },
  shadow: {
    judge: (evidence, policy) =>
      holdWhereSuspect(decide(evidence, policy), suspicionsOfLift(evidence, policy)),
    explain: suspicionsFirst(explain),
    versions: namedByRole,
  },
  canary: {
    judge: (evidence, policy) =>
      holdWhereSuspect(judgeCanary(evidence, policy), suspicionsOfLoss(evidence, policy)),
    explain: suspicionsFirst(explainCanary),
    versions: ({ canary, live }) => ({ challenger: canary.version, baseline: live.version }),
  },
  watch: {
    judge: (evidence, policy) =>
      holdWhereSuspect(judgeWatch(evidence, policy), suspicionsOfLoss(evidence, policy)),
    explain: suspicionsFirst(explainWatch),
    versions: ({ live, previous }) => ({ challenger: live.version, baseline: previous.version }),
  },
  fleet: {
    judge: judgeFleet,
    explain: explainFleet,
    versions: ({ live, previous }) => ({ challenger: live.version, baseline: previous }),
  },
};

/**
 * Rules on a case. The evidence first takes the form in which it is written down, so that what is judged is exactly
 * what a reader of the record will find, also where no record is made.
 */
export function rule<Kind extends CaseKind>(
  about: Kind,
  evidence: EvidenceOf<Kind>,
  policy: Policy,
): RuledCase<Kind> {
  const written = asWritten(evidence);
  const { judge, explain, versions } = RULES[about];
  const ruling = judge(written, policy);
  return {
    about,
    evidence: written,
    policy,
    ruling,
    sentence: explain(ruling, written),
    ...versions(written),
  };
}

/** Rules again on evidence that comes from a record. */
export function ruleAgain<Kind extends CaseKind>(
  about: Kind,
  evidence: EvidenceOf<Kind>,
  policy: Policy,
): Ruling<Kind> {
  return RULES[about].judge(evidence, policy);
}

function suspicionsFirst<R, E>(explain: (ruling: R, evidence: E) => string) {
  return (ruling: Suspected<R>, evidence: E): string =>
    ruling.suspicions === undefined ? explain(ruling, evidence) : explainSuspicions(ruling.suspicions);
}

function namedByRole({ challenger, baseline }: ScreenEvidence | ShadowEvidence): ComparedVersions {
  return { challenger: challenger.version, baseline: baseline.version };
}

/**
 * Users are numbered as they appear: a record is for everybody to read and is kept for ever, and no verdict depends
 * on who somebody is. A user who was counted twice has one number, and shows.
 */
function asWritten<Evidence>(evidence: Evidence): Evidence {
  const numbers = new Map<string, number>();
  return JSON.parse(canonicalJson(evidence), (key, value: unknown) => {
    if (key !== "user" || typeof value !== "string") return value;
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return `u${number}`;
  }) as Evidence;
}
