import type { Manifest } from "../../models/artifact/manifest.ts";
import { MS_PER_DAY } from "../../models/data/day.ts";
import { isImported } from "../../models/factorization/imported.ts";
import type { JobProducers } from "../../services/queues/producers.ts";
import type { JobContext } from "../context.ts";

export interface Refresh {
  readonly live: string | null;
  /** Retrain that was asked for; null when nothing has happened since the live version was trained. */
  readonly jobId: string | null;
}

/**
 * Queues a retrain of the live recipe, with its parameters, on the latest data. The job's id is made of the day, so that
 * a day has one such job however often it is asked for.
 */
export async function askForRefresh(
  context: JobContext,
  producers: Pick<JobProducers, "addRetrain">,
  { version, phase, recipe, params, seed }: Manifest,
  requestedBy: string,
  reason: string,
): Promise<string> {
  const day = Math.floor(context.now() / MS_PER_DAY) * MS_PER_DAY;
  const warmStart = context.policy.training.warmStart ? version : undefined;
  const jobId = await producers.addRetrain(
    { phase, recipe, params, seed, warmStart, requestedBy, reason },
    day,
  );
  context.log.info({ jobId, reason }, `${requestedBy}: retrain asked for`);
  return jobId;
}

/** The scheduled retrain: what it makes is a REFRESH and faces the gate like any challenger. */
export async function refresh(
  context: JobContext,
  producers: Pick<JobProducers, "addRetrain">,
): Promise<Refresh> {
  const live = await context.registry.live();
  if (live === null) return { live: null, jobId: null };
  const { manifest } = await context.artifacts.manifest(live.version);
  // What was trained elsewhere is refreshed there, and imported again.
  if (isImported(manifest.recipe)) return { live: live.version, jobId: null };
  const { live: liveAt, recorded } = await context.events.clocks();
  const latest = Math.max(liveAt ?? 0, recorded ?? 0);
  if (latest <= Date.parse(manifest.data.through)) return { live: live.version, jobId: null };
  const reason = `scheduled: events since ${manifest.data.through}`;
  return {
    live: live.version,
    jobId: await askForRefresh(context, producers, manifest, "schedule", reason),
  };
}
