import { type Decision, recordDecision } from "../../models/gate/decision.ts";
import { explainFleet } from "../../models/gate/explain-fleet.ts";
import { type FleetEvidence, judgeFleet, LATENCY_BUCKETS } from "../../models/gate/fleet.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { JobContext } from "../context.ts";

const ACTOR = "fleet";

/**
 * Reads what all replicas say of the live version and leaves it when it fails or is too slow. Says nothing as
 * long as nothing is wrong. The floor is never left: there is nothing below it.
 */
export async function leaveFailingLive(context: JobContext): Promise<readonly Judgement[]> {
  const live = await context.registry.live();
  if (live === null || live.version === live.floor) return [];
  const evidence = await fleetEvidence(context, live);
  const ruling = judgeFleet(evidence, context.policy);
  if (ruling.verdict !== "reject" || (await isRecorded(context, evidence))) return [];
  const decision = await context.decisions.append((previousSha256) =>
    recordDecision(
      { about: "fleet", evidence },
      { policy: context.policy, actor: ACTOR, at: context.isoNow(), previousSha256 },
    ),
  );
  context.log.error({ version: live.version, decision: decision.id }, decision.sentence);
  if (context.policy.rollback.automatic) await leave(context, live, decision);
  return [
    {
      about: "fleet",
      challenger: live.version,
      baseline: evidence.previous,
      verdict: ruling.verdict,
      users: 0,
      sentence: explainFleet(ruling),
    },
  ];
}

async function leave(context: JobContext, live: LivePointer, decision: Decision): Promise<void> {
  await context.registry.rollback({
    expectedLive: live.version,
    reason: decision.sentence,
    actor: ACTOR,
    automatic: true,
    decisionId: decision.id,
  });
}

async function fleetEvidence(context: JobContext, live: LivePointer): Promise<FleetEvidence> {
  const { version, liveEpoch: epoch } = live;
  const all = await context.fleet.reports();
  const reports = all.filter((report) => report.version === version && report.epoch === epoch);
  const { phase, recipe } = (await context.artifacts.manifest(version)).manifest;
  const sum = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    live: { version, phase, recipe },
    previous: live.previous ?? live.floor,
    epoch,
    replicas: reports.length,
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    latency: Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => sum(({ latency }) => latency[bucket])),
  };
}

/** Where rollbacks are not automatic the version stays, and one record of its failing is enough. */
async function isRecorded(context: JobContext, evidence: FleetEvidence): Promise<boolean> {
  if (context.policy.rollback.automatic) return false;
  const decisions = await context.decisions.list({ challenger: evidence.live.version });
  return decisions.some(
    ({ hearing }) => hearing.about === "fleet" && hearing.evidence.epoch === evidence.epoch,
  );
}
