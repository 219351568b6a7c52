import { type FleetEvidence, LATENCY_BUCKETS } from "../../models/gate/fleet.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { JobContext } from "../context.ts";
import { judgementOf } from "./judgement.ts";
import { leaveLive } from "./leave-live.ts";
import { ruleAndRecord } from "./record.ts";

const ACTOR = "fleet";

/**
 * Reads what all replicas report of the live version and leaves it when it fails or is too slow. Says nothing as
 * long as nothing is wrong. The floor is never left: there is nothing below it.
 */
export async function leaveFailingLive(context: JobContext): Promise<readonly Judgement[]> {
  const live = await context.registry.live();
  if (live === null || live.version === live.floor) return [];
  const evidence = await fleetEvidence(context, live);
  const look = await ruleAndRecord(context, "fleet", evidence, {
    actor: ACTOR,
    isWorthRecording: async ({ ruling }) =>
      ruling.verdict === "reject" && !(await isRecorded(context, evidence)),
  });
  if (look.decision === null) return [];
  await leaveLive(context, look.decision);
  return [judgementOf("fleet", look, 0)];
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
