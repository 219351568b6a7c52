import type { Findings } from "../../models/card/findings.ts";
import { leverSettings } from "../../models/card/levers.ts";
import { type DiagnosisEvidence, diagnose } from "../../models/gate/diagnosis.ts";
import { recipeNamed } from "../../models/phases.ts";
import type { AnalysisPayload } from "../../services/queues/types.ts";
import type { JobContext } from "../context.ts";
import { AnalysisBench, type AnalysisOptions } from "./analysis-bench.ts";

/**
 * Explains a version: why it does or does not beat its baseline, what each lever gains, whether more data would help.
 * Fits the recipe anew, with its parameters, on altered data or settings, and judges every fit on the same holdout
 * users. Nothing is ever chosen by these figures: parameters are tuned on the validation window alone. Every fit is
 * remembered, so that a killed analysis goes on where it was.
 */
export async function analyse(
  context: JobContext,
  payload: AnalysisPayload,
  options: AnalysisOptions = {},
): Promise<Findings> {
  const start = performance.now();
  const { manifest, model } = await context.artifacts.load(payload.version);
  const data = await context.loadTrainingData(manifest.data.sha256);
  const bench = new AnalysisBench(context, manifest, data, options);
  const baseline = await bench.baseline();
  const ours = await bench.judge();
  const omitted: string[] = [];
  /** Runs a part when its fits fit into what is left of the budget. */
  const within = async <T>(name: string, fits: number, part: () => Promise<T>): Promise<T | null> => {
    const seconds = fits * bench.secondsAFit();
    const left = payload.budgetSeconds - (performance.now() - start) / 1000;
    if (seconds <= left) return part();
    omitted.push(
      `${name}: expected to take about ${Math.ceil(seconds)} s, ${Math.max(0, Math.floor(left))} s were left of ${payload.budgetSeconds}.`,
    );
    return null;
  };

  const popularity = await bench.judgePopularity();
  const control = await within("Shuffled-label control", 1, () => bench.judgeShuffled());
  const memory = await within("Score on training moments", 1, () => bench.judgeOnTraining());
  const curve = await within("Learning curve", 1.5, () => bench.curve(ours));
  const longer = await within("Longer training", 2, () => bench.judgeLonger());
  const settings = leverSettings(recipeNamed(manifest.recipe), manifest.params, manifest.trials);
  const levers =
    settings.length === 0
      ? null
      : await within("Levers", 2 * settings.length + 1, () => bench.levers(settings));

  const evidence: DiagnosisEvidence = {
    lift: bench.gain(ours, baseline.evaluation),
    trainNdcg: memory?.summary.ndcg.mean ?? null,
    holdoutNdcg: ours.summary.ndcg.mean,
    popularityNdcg: popularity.summary.ndcg.mean,
    overPopularity: bench.gain(ours, popularity),
    shuffledControl:
      control === null
        ? null
        : {
            ndcg: control.summary.ndcg.mean,
            overPopularity: bench.gain(control, popularity, [0.005, 0.995]),
          },
    seenItemLists: ours.faults["seen-item"],
    losses: manifest.training.losses,
    twiceTheEpochs: longer === null ? null : bench.gain(longer, ours),
    learningCurve: curve,
  };
  const findings: Findings = {
    version: manifest.version,
    baseline: baseline.name,
    dataSha256: data.provenance.sha256,
    lift: evidence.lift,
    agreement: await bench.agreement(model),
    diagnosis: diagnose(evidence),
    evidence,
    learningCurve: curve,
    levers,
    omitted,
    seconds: (performance.now() - start) / 1000,
    measuredAt: context.isoNow(),
  };
  await context.findings.put(findings);
  options.onProgress?.({ fraction: 1, message: `${manifest.version}: explained` });
  return findings;
}
