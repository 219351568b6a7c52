import { canonicalJson } from "../../../models/canonical-json.ts";
import { decide } from "../../../models/gate/decide.ts";
import {
  type Decision,
  decisionOf,
  recomputeDecision,
  verifyDecisions,
} from "../../../models/gate/decision.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../../models/gate/policy.ts";
import { rule } from "../../../models/gate/ruling.ts";
import { GENESIS_SHA256 } from "../../../models/hash-chain.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";
import { numberPaths, replacedAt } from "../../support/lost-numbers.ts";
import type { brokenChallengers } from "./broken-challengers.ts";
import type { Proof, ProofSize } from "./proof.ts";

/** Thousands of decisions are taken: the guardrails' bootstraps may be rougher than where one counts. */
const QUICK_POLICY = parsePolicy({ guardrails: { resamples: 200 } });

/** As a refresh it is proven not to lose after some thousand users, and must not be promoted even so. */
export function sameModel(kind: ShadowEvidence["kind"], users: number, runs: number): Proof {
  let promoted = 0;
  let proven = 0;
  for (let run = 0; run < runs; run++) {
    const healthy = healthyEvidence({ users, seed: run });
    const lists = (healthy.lists ?? [])
      .slice(0, 150)
      .map(({ baseline }) => ({ challenger: baseline, baseline }));
    const asked = healthy.requests?.asked ?? 0;
    const evidence: ShadowEvidence = {
      ...healthy,
      kind,
      users: healthy.users.map((user) => ({ ...user, difference: 0 })),
      lists,
      agreement: { requests: asked, identical: asked },
      lastUpgrade: "is-baseline",
    };
    const { verdict, test } = decide(evidence, QUICK_POLICY);
    if (verdict === "pass") promoted++;
    if (test?.proven === true) proven++;
  }
  return {
    what: `same model as challenger, ${kind === "UPGRADE" ? "an upgrade" : "a refresh"} (${users} users)`,
    mustHold: `0 of ${runs} promoted`,
    obtained: `${promoted} of ${runs}`,
    ok: promoted === 0 && proven > 0 === (kind === "REFRESH"),
  };
}

export function refused(challenger: ReturnType<typeof brokenChallengers>[number]): Proof {
  const { verdict, reasons } = decide(challenger.evidence, DEFAULT_POLICY);
  return {
    what: `+0.10 planted, but: ${challenger.name}`,
    mustHold: `refused, ${challenger.expected}`,
    obtained: `${verdict}, ${reasons.join(" ")}`,
    ok: verdict === "reject" && reasons.includes(challenger.expected),
  };
}

export function missing(): Proof {
  const healthy = healthyEvidence();
  const pieces = Object.keys(healthy).filter((key) => !KEPT.has(key));
  const held = pieces.filter(
    (key) => decide({ ...healthy, [key]: null } as ShadowEvidence, DEFAULT_POLICY).verdict === "hold",
  );
  const small = healthyEvidence({ users: 150 });
  const numbers = numberPaths(small);
  const passed = numbers.filter((path) =>
    [Number.NaN, null].some(
      (nothing) => decide(replacedAt(small, path, nothing), QUICK_POLICY).verdict === "pass",
    ),
  );
  return {
    what: `missing evidence, each of ${pieces.length} pieces and of ${numbers.length} numbers`,
    mustHold: "a piece: hold, always; a number: never pass",
    obtained: `${held.length} of ${pieces.length} held, ${passed.length} of ${numbers.length} passed`,
    ok: held.length === pieces.length && passed.length === 0,
  };
}

/** Not evidence that can be missing in an UPGRADE judged by its shadow. */
const KEPT = new Set(["kind", "challenger", "baseline", "users", "interleaving", "lastUpgrade"]);

export function replay(size: ProofSize): Proof {
  const chain: Decision[] = [];
  for (let index = 0; index < size.records; index++) {
    const evidence = healthyEvidence({ users: 150, lift: [0.1, 0.005, -0.05][index % 3], seed: index });
    const previousSha256 = chain.at(-1)?.sha256 ?? GENESIS_SHA256;
    const context = { actor: "proof", at: "2026-01-01T00:00:00.000Z", previousSha256 };
    chain.push(decisionOf(rule("shadow", evidence, DEFAULT_POLICY), context));
  }
  const stored = chain.map((decision) => JSON.parse(canonicalJson(decision)) as Decision);
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
