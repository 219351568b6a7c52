import type { Manifest } from "../../models/artifact/manifest.ts";
import { pairedDifferences } from "../../models/evaluation/comparison.ts";
import { sampleVariance } from "../../models/evaluation/moments.ts";
import { isImported } from "../../models/factorization/imported.ts";
import { figuresOf, planFigure, planFigureBeside } from "../../models/gate/capped-figure.ts";
import type { Pair, UserDifference, VersionFacts } from "../../models/gate/evidence.ts";
import type { ChallengeKind } from "../../models/gate/margin.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import type { RuledCase } from "../../models/gate/ruling.ts";
import type { ScreenEvidence } from "../../models/gate/screen.ts";
import { studentisedBounds } from "../../models/gate/screen-bounds.ts";
import type { VersionState } from "../../models/gate/states.ts";
import { testSha256 } from "../../models/gate/test-numbers.ts";
import { isRemote } from "../../models/remote/remote.ts";
import type { StoredEvaluation } from "../../services/evaluations/evaluations.ts";
import { openingTime } from "../../services/interactions/event-clocks.ts";
import type { VersionRecord } from "../../services/registry/types.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { lastUpgradeBefore } from "./last-upgrade.ts";
import { goOnWithLine } from "./lines.ts";
import { GATE, ruleAndRecord } from "./record.ts";

/** σ² of a difference in [−1, 1] of which nothing is known. */
export const WIDEST_VARIANCE = 1;

const SCREENABLE: ReadonlySet<VersionState> = new Set(["REGISTERED", "STALE"]);
const SHADOWED: ReadonlySet<VersionState> = new Set(["SCREENED", "SHADOWING"]);

/**
 * Stage A and what follows from it. A version that is new, or whose baseline has changed, is compared with the live one
 * on the holdout that both were evaluated on. It is rejected, sent into the shadow, or left as it is. Safe to run twice:
 * each step looks at the state it starts from.
 */
export async function screen(context: JobContext, version: string): Promise<VersionRecord> {
  const record = await recordOf(context, version);
  const live = await context.registry.live();
  if (live === null || live.version === version) return record;
  const shadowed = SHADOWED.has(record.state);
  if (!shadowed && !SCREENABLE.has(record.state)) return record;
  if (shadowed && (await isShadowed(context, version, live.version))) return record;
  const evidence = await screenEvidence(context, version, live.version);
  if (evidence === null) return record;
  if (shadowed) {
    await enterShadow(context, evidence);
    return recordOf(context, version);
  }
  const ruled =
    (await screenedBefore(context, evidence)) ?? (await ruleAndRecord(context, "screen", evidence));
  return follow(context, record, evidence, ruled);
}

type ScreenLook = Pick<RuledCase<"screen">, "ruling" | "sentence">;

/**
 * The earlier ruling on the same comparison under the same policy, while it is the latest decision on the climb. The
 * judge screens waiting versions at every look, and the holdout does not change in between.
 */
async function screenedBefore(
  { decisions, policy }: JobContext,
  { challenger, baseline }: ScreenEvidence,
): Promise<ScreenLook | null> {
  const last = (await decisions.lastOnClimb([challenger.version])).get(challenger.version);
  if (last === undefined || !("admitted" in last.ruling)) return null;
  const isSame = last.baseline === baseline.version && last.policySha256 === policySha256(policy);
  return isSame ? { ruling: last.ruling, sentence: last.sentence } : null;
}

async function follow(
  context: JobContext,
  record: VersionRecord,
  evidence: ScreenEvidence,
  { ruling, sentence }: ScreenLook,
): Promise<VersionRecord> {
  const { version, state } = record;
  if (ruling.verdict === "reject") {
    return context.registry.transition(version, [state], "REJECTED", sentence, GATE);
  }
  if (!ruling.admitted) return { ...record, reason: sentence };
  await context.registry.transition(version, [state], "SCREENED", sentence, GATE);
  await enterShadow(context, evidence);
  return recordOf(context, version);
}

/** In the place of an earlier version of its line, or where fewer than the policy's maximum are open. */
async function enterShadow(context: JobContext, evidence: ScreenEvidence): Promise<void> {
  const { challenger, baseline } = evidence;
  if (await goOnWithLine(context, challenger, baseline.version)) return;
  const running = await attemptsAt(context, baseline.version);
  if (running.length < context.policy.shadow.maximumChallengers) await openAttempt(context, evidence);
}

async function isShadowed(context: JobContext, version: string, baseline: string): Promise<boolean> {
  const running = await attemptsAt(context, baseline);
  return running.some(({ challenger }) => challenger.version === version);
}

async function attemptsAt({ shadowLog }: JobContext, baseline: string): Promise<readonly Attempt[]> {
  return (await shadowLog.openAttempts()).filter((attempt) => attempt.baseline.version === baseline);
}

/** Puts a screened version into the shadow. The attempt's plan is frozen here, before its first user. */
async function openAttempt(context: JobContext, evidence: ScreenEvidence): Promise<void> {
  const { version } = evidence.challenger;
  const record = await recordOf(context, version);
  if (record.state === "SCREENED") {
    await context.registry.transition(version, ["SCREENED"], "SHADOWING", record.reason, GATE);
  }
  const upgrade =
    evidence.kind !== "UPGRADE" ? await lastUpgradeBefore(context, evidence.baseline.version) : undefined;
  await openComparison(context, evidence, await context.registry.attemptIndex(version), upgrade);
}

export async function openComparison(
  context: JobContext,
  evidence: ScreenEvidence,
  number: number,
  lastUpgrade?: VersionFacts,
): Promise<void> {
  const { kind, challenger, baseline, baselineMean, cpuMsPerRequest, users } = evidence;
  const { alphaSpending } = context.policy;
  await context.shadowLog.open({
    id: `${challenger.version}~${baseline.version}~${number}`,
    kind,
    challenger,
    baseline,
    plan: {
      baselineMean,
      variance: plannedVariance(users),
      cpuMsPerRequest,
      figure:
        evidence.unjudged === true
          ? planFigureBeside(await holdoutFigures(context, challenger.version, baseline.version))
          : planFigure(figuresOf(users)),
      ...(kind === "DOWN_RUNG" && { modelMb: await modelMb(context, challenger.version, baseline.version) }),
      ...(alphaSpending === "fdr" && { discovery: await context.registry.discoveries() }),
      liftUpperBound: upperBoundOf(evidence, ({ difference }) => difference, context),
    },
    attempt: number,
    lastUpgrade,
    policySha256: policySha256(context.policy),
    testSha256: testSha256(context.policy),
    openedAt: openingTime(await context.events.clocks()),
    startedAt: context.isoNow(),
  });
}

async function modelMb(
  { artifacts }: JobContext,
  challenger: string,
  baseline: string,
): Promise<Pair<number>> {
  const of = async (version: string): Promise<number> =>
    (await artifacts.manifest(version)).manifest.cost.artifactBytes / 1e6;
  return { challenger: await of(challenger), baseline: await of(baseline) };
}

/** Null when the two were never evaluated on the same holdout; then a retrain on present data is needed. */
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
  const unjudged =
    isRemote(challenger.recipe) || mayKnowHoldout(challenger, ours) || mayKnowHoldout(baseline, theirs);
  if (!unjudged && !isSameRequests(ours, theirs)) return null;
  const cpuMsPerRequest = {
    challenger: challenger.cost.cpuMsPerRequest,
    baseline: cpuInProcessOf(challenger, baseline),
  };
  return {
    kind: kindOf(challenger, baseline, cpuMsPerRequest, context.policy),
    challenger: factsOf(challenger),
    baseline: factsOf(baseline),
    baselineMean: theirs.summary.ndcg.mean,
    cpuMsPerRequest,
    users: unjudged ? [] : pairedDifferences(ours, theirs),
    faults: ours.faults,
    window: ours.window,
    ...(unjudged && { unjudged }),
    seed: challenger.seed,
  };
}

/** What the baseline scored on the challenger's holdout; nothing where it may have learned from it. */
async function holdoutFigures(
  { artifacts, evaluations }: JobContext,
  challenger: string,
  baseline: string,
): Promise<readonly number[]> {
  const { manifest } = await artifacts.manifest(baseline);
  const dataSha256 = (await artifacts.manifest(challenger)).manifest.data.sha256;
  const theirs = await evaluations.get({ ...manifest, dataSha256 });
  if (theirs === null || mayKnowHoldout(manifest, theirs)) return [];
  return theirs.perUser.map(({ ndcg }) => ndcg);
}

/** Where the policy was changed in between, the two may have been asked by others. */
function isSameRequests({ perUser: ours }: StoredEvaluation, { perUser: theirs }: StoredEvaluation): boolean {
  const asked = new Map(ours.map(({ user, requests }) => [user, requests]));
  return ours.length === theirs.length && theirs.every(({ user, requests }) => asked.get(user) === requests);
}

/**
 * CPU time of the baseline in the process that measured the challenger. It was timed there if it was live then; if not,
 * the times of both relative to a popularity list give it.
 */
function cpuInProcessOf(
  { cost: { beside, ...ours } }: Manifest,
  { version, cost: theirs }: Manifest,
): number {
  if (beside?.version === version) return beside.cpuMsPerRequest;
  return (ours.cpuMsPerRequest * theirs.relativeCost) / ours.relativeCost;
}

/**
 * A version trained here was fitted a second time, without the holdout, to be evaluated on it. One trained elsewhere
 * cannot be, and may have learned from the holdout.
 */
function mayKnowHoldout({ recipe }: Manifest, { window }: StoredEvaluation): boolean {
  return isImported(recipe) && window.trainedThrough > window.judgedFrom;
}

/** A step down is one only where it saves CPU time too, and where the policy asks for it. */
export function kindOf(
  challenger: Pick<Manifest, "recipe" | "phase">,
  baseline: Pick<Manifest, "recipe" | "phase">,
  cpuMs: Pair<number>,
  { promotion }: Pick<JobContext["policy"], "promotion">,
): ChallengeKind {
  if (challenger.recipe === baseline.recipe) return "REFRESH";
  const isCheaper = challenger.phase < baseline.phase && cpuMs.challenger < cpuMs.baseline;
  return promotion.downRung && isCheaper ? "DOWN_RUNG" : "UPGRADE";
}

function factsOf({ version, phase, recipe }: Manifest): VersionFacts {
  return { version, phase, recipe };
}

/** Of the mean of a figure over the holdout's users; undefined where they are too few for one. */
export function upperBoundOf(
  { users, seed }: ScreenEvidence,
  figureOf: (user: UserDifference) => number | undefined,
  { policy: { screen } }: Pick<JobContext, "policy">,
): number | undefined {
  const figures = users.flatMap((user) => figureOf(user) ?? []);
  if (figures.length < screen.minimumUsers) return undefined;
  return studentisedBounds(figures, screen.confidence, screen.resamples, seed).upper;
}

/** Sample variance of the paired differences, or the widest when there are too few to tell. */
export function plannedVariance(users: readonly UserDifference[]): number {
  return users.length < 2 ? WIDEST_VARIANCE : sampleVariance(users.map(({ difference }) => difference));
}

async function recordOf(context: JobContext, version: string): Promise<VersionRecord> {
  const record = await context.registry.version(version);
  if (record === null)
    throw new Error(`screen: expected ${version} in the registry, got nothing; register it first`);
  return record;
}
