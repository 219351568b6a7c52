import { isImported } from "../../models/factorization/imported.ts";
import { type DriftSignal, driftSignals } from "../../models/gate/drift.ts";
import { driftEvidence } from "../../models/gate/drift-evidence.ts";
import type { JobProducers } from "../../services/queues/producers.ts";
import type { JobContext } from "../context.ts";
import { askForRefresh } from "./refresh.ts";

export interface DriftReport {
  readonly live: string | null;
  /** Events that came after those the live version was trained on. */
  readonly events: number;
  /** All signals; none when there is too little to compare. */
  readonly signals: readonly DriftSignal[];
  /** Retrain that was asked for; null when nothing has drifted. */
  readonly jobId: string | null;
}

/**
 * Compares what users do now with what the live version learned from. Drift asks for a retrain of the live recipe, at
 * most once a day. It decides nothing: the retrained version has to pass the gate as usual.
 */
export async function drift(
  context: JobContext,
  producers: Pick<JobProducers, "addRetrain">,
): Promise<DriftReport> {
  const live = await context.registry.live();
  if (live === null) return { live: null, events: 0, signals: [], jobId: null };
  const [{ manifest, model }, { log }] = await Promise.all([
    context.artifacts.load(live.version),
    context.loadTrainingData(),
  ]);
  const trainedThrough = Date.parse(manifest.data.through);
  const cut = firstAfter(log.timestamps, trainedThrough);
  const evidence = driftEvidence(log, cut, model.items, context.policy.drift);
  const signals = evidence === null ? [] : driftSignals(evidence, context.policy.drift);
  const events = log.timestamps.length - cut;
  const drifted = signals.filter((signal) => signal.drifted);
  // A version trained elsewhere is refreshed there and imported again.
  if (drifted.length === 0 || isImported(manifest.recipe))
    return { live: live.version, events, signals, jobId: null };

  const reason = `${events} events since ${live.version} was trained: ${drifted.map(describe).join(", ")}`;
  const jobId = await askForRefresh(context, producers, manifest, "drift", reason);
  return { live: live.version, events, signals, jobId };
}

function describe({ name, value, limit }: DriftSignal): string {
  return `${name} ${value.toFixed(3)} beyond ${limit}`;
}

/** Position of the first time later than `time`; times are non-decreasing. */
function firstAfter(timestamps: Float64Array, time: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
