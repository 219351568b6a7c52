import { type Decision, recordDecision } from "../models/gate/decision.ts";
import type { UserDifference, VersionFacts } from "../models/gate/evidence.ts";
import type { ChallengeKind } from "../models/gate/margin.ts";
import { policySha256 } from "../models/gate/policy.ts";
import type { ScreenEvidence, ScreenRuling } from "../models/gate/screening.ts";
import type { Manifest } from "../models/manifest.ts";
import type { StoredEvaluation } from "../services/evaluations/evaluations.ts";
import type { VersionRecord } from "../services/registry/types.ts";
import type { Attempt } from "../services/shadow/types.ts";
import type { JobContext } from "./context.ts";
import { lastUpgradeBefore } from "./last-upgrade.ts";

const ACTOR = "gate";

/**
 * Stage A and what follows from it: a version that is new, or whose baseline has changed, is compared with
 * the live one on the holdout that both were evaluated on, and is rejected, left, or sent into the shadow.
 * Runs twice without harm: each step looks at the state it starts from.
 */
export async function screen(context: JobContext, version: string): Promise<VersionRecord> {
  const record = await recordOf(context, version);
  const live = await context.registry.live();
  if (live === null || live.version === version) return record;
  if (record.state === "SCREENED" || record.state === "SHADOWING") {
    await openAttempt(context, version, live.version);
    return recordOf(context, version);
  }
  if (record.state !== "REGISTERED" && record.state !== "STALE") return record;

  const evidence = await screenEvidence(context, version, live.version);
  if (evidence === null) return record;
  const decision = await context.decisions.append((previousSha256) =>
    recordDecision(
      { about: "screen", evidence },
      { policy: context.policy, actor: ACTOR, at: context.isoNow(), previousSha256 },
    ),
  );
  return follow(context, record, live.version, decision);
}

async function follow(
  context: JobContext,
  record: VersionRecord,
  baseline: string,
  decision: Decision,
): Promise<VersionRecord> {
  const { version, state } = record;
  const ruling = decision.ruling as ScreenRuling;
  if (ruling.verdict === "reject") {
    return context.registry.transition(version, [state], "REJECTED", decision.sentence, ACTOR);
  }
  if (!ruling.admitted) return { ...record, reason: decision.sentence };
  await context.registry.transition(version, [state], "SCREENED", decision.sentence, ACTOR);
  await openAttempt(context, version, baseline);
  return recordOf(context, version);
}

/** Puts a screened version into the shadow. The attempt's plan is frozen here, before its first user. */
async function openAttempt(context: JobContext, version: string, baseline: string): Promise<void> {
  const record = await recordOf(context, version);
  const running = await context.shadowLog.openAttempts();
  if (
    running.some((attempt) => attempt.challenger.version === version && attempt.baseline.version === baseline)
  )
    return;
  if (running.length >= context.policy.shadow.maximumChallengers) return;
  const evidence = await screenEvidence(context, version, baseline);
  if (evidence === null) return;
  if (record.state === "SCREENED") {
    await context.registry.transition(version, ["SCREENED"], "SHADOWING", record.reason, ACTOR);
  }
  const number = await context.registry.attemptIndex(version);
  const attempt: Attempt = {
    id: `${version}~${baseline}~${number}`,
    kind: evidence.kind,
    challenger: evidence.challenger,
    baseline: evidence.baseline,
    plan: {
      baselineMean: evidence.baselineMean,
      variance: varianceOf(evidence.users),
      cpuMsPerRequest: evidence.cpuMsPerRequest,
    },
    attempt: number,
    lastUpgrade: evidence.kind === "REFRESH" ? await lastUpgradeBefore(context, baseline) : undefined,
    policySha256: policySha256(context.policy),
    startedAt: context.isoNow(),
  };
  await context.shadowLog.open(attempt);
}

/** Null when challenger and baseline were never evaluated on one holdout: a retrain on present data is due. */
export async function screenEvidence(
  context: JobContext,
  version: string,
  baselineVersion: string,
): Promise<ScreenEvidence | null> {
  const challenger = (await context.artifacts.manifest(version)).manifest;
  const baseline = (await context.artifacts.manifest(baselineVersion)).manifest;
  const dataSha256 = challenger.data.sha256;
  const ours = await context.evaluations.get({ ...challenger, dataSha256 });
  const theirs = await context.evaluations.get({ ...baseline, dataSha256 });
  if (ours === null || theirs === null) return null;
  return {
    kind: kindOf(challenger, baseline),
    challenger: factsOf(challenger),
    baseline: factsOf(baseline),
    baselineMean: theirs.summary.ndcg.mean,
    cpuMsPerRequest: {
      challenger: challenger.cost.cpuMsPerRequest,
      // What the baseline takes in the challenger's process: both were measured against the same popularity list.
      baseline: (challenger.cost.cpuMsPerRequest * baseline.cost.relativeCost) / challenger.cost.relativeCost,
    },
    users: pairedUsers(ours, theirs),
    faults: ours.faults,
    window: ours.window,
    seed: challenger.seed,
  };
}

function kindOf(challenger: Manifest, baseline: Manifest): ChallengeKind {
  return challenger.recipe === baseline.recipe ? "REFRESH" : "UPGRADE";
}

function factsOf({ version, phase, recipe }: Manifest): VersionFacts {
  return { version, phase, recipe };
}

function pairedUsers(ours: StoredEvaluation, theirs: StoredEvaluation): UserDifference[] {
  const baseline = new Map(theirs.perUser.map(({ user, ndcg }) => [user, ndcg]));
  return ours.perUser.flatMap(({ user, ndcg }) => {
    const other = baseline.get(user);
    return other === undefined ? [] : [{ user, difference: ndcg - other }];
  });
}

/** Sample variance of the paired differences; 1, the widest there is, when there are too few to tell. */
export function varianceOf(users: readonly UserDifference[]): number {
  if (users.length < 2) return 1;
  const mean = users.reduce((sum, { difference }) => sum + difference, 0) / users.length;
  return users.reduce((sum, { difference }) => sum + (difference - mean) ** 2, 0) / (users.length - 1);
}

async function recordOf(context: JobContext, version: string): Promise<VersionRecord> {
  const record = await context.registry.version(version);
  if (record === null)
    throw new Error(`screen: expected ${version} in the registry, got nothing; register it first`);
  return record;
}
