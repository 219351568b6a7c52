import { type LearningCurve, stillRises, WORTH_COLLECTING } from "../evaluation/learning-curve.ts";
import type { Estimate } from "../evaluation/report.ts";

/** Why a challenger does not beat its baseline, as its card says. */
export type Diagnosis = "leak-or-bug" | "under-trained" | "too-little-data" | "no-signal";

export interface DiagnosisEvidence {
  /** Challenger − baseline on the holdout. */
  readonly lift: Estimate;
  /** nDCG@10 on moments it was trained on and on the holdout, and of plain popularity on the holdout. */
  readonly trainNdcg: number | null;
  readonly holdoutNdcg: number;
  readonly popularityNdcg: number;
  /** The recipe − popularity on the holdout. */
  readonly overPopularity: Estimate;
  /**
   * The recipe fitted on the training events with their items shuffled among them. Only popularity can be learned there,
   * so it should not score above plain popularity. The interval is one of 99 %, because a false alarm does harm.
   */
  readonly shuffledControl: { readonly ndcg: number; readonly overPopularity: Estimate } | null;
  /** Lists of the holdout that held an item of the user's own history. */
  readonly seenItemLists: number;
  /** Training loss after each epoch; empty for recipes without one. */
  readonly losses: readonly number[];
  /** Twice the epochs − the epochs it had, on the holdout. */
  readonly twiceTheEpochs: Estimate | null;
  readonly learningCurve: LearningCurve | null;
}

export interface DiagnosisReport {
  /** Null when the challenger leads its baseline, proven or not, and nothing looks like a leak. */
  readonly diagnosis: Diagnosis | null;
  /** One plain sentence a piece of evidence, with its numbers. */
  readonly evidence: readonly string[];
}

/** In a table or a sentence: "it looks like …". */
export const DIAGNOSIS_WORDS: Readonly<Record<Diagnosis, string>> = {
  "leak-or-bug": "a leak or a bug",
  "under-trained": "too little training",
  "too-little-data": "too little data",
  "no-signal": "no signal here for this model",
};

/** A score on training moments above this many times the holdout's says that what was learned does not carry over. */
const OVERFITTED_RATIO = 2;
/** A loss that fell by more than this share over the last tenth of the epochs says that training stopped too early. */
const UNSETTLED_LOSS = 0.01;

/**
 * Takes the first explanation that has evidence, the most serious first. A leak or a bug comes before all else, a lift
 * included, because no other figure can be trusted with it; "no signal" is what remains when nothing else is found.
 */
export function diagnose(evidence: DiagnosisEvidence): DiagnosisReport {
  const leak = signsOfALeak(evidence);
  if (leak.length > 0) return { diagnosis: "leak-or-bug", evidence: leak };
  const { lift } = evidence;
  if (lift.mean > 0) {
    const certainty =
      lift.low > 0 ? "above 0 with confidence" : "which these users can neither prove nor refute";
    return {
      diagnosis: null,
      evidence: [`the lift is ${figure(lift.mean)} (${interval(lift)}), ${certainty}`],
    };
  }
  const causes: readonly [Diagnosis, string[]][] = [
    ["under-trained", signsOfUnderTraining(evidence)],
    ["too-little-data", signsOfTooLittleData(evidence.learningCurve)],
  ];
  const found = causes.find(([, signs]) => signs.length > 0);
  if (found !== undefined) return { diagnosis: found[0], evidence: found[1] };
  return { diagnosis: "no-signal", evidence: [noSignal(evidence)] };
}

function signsOfALeak(evidence: DiagnosisEvidence): string[] {
  const { trainNdcg, holdoutNdcg, popularityNdcg, overPopularity, shuffledControl, seenItemLists } = evidence;
  const signs: string[] = [];
  if (seenItemLists > 0) signs.push(`${seenItemLists} lists held an item of the user's own history`);
  if (shuffledControl !== null && shuffledControl.overPopularity.low > 0) {
    const { ndcg, overPopularity: excess } = shuffledControl;
    signs.push(
      `fitted on shuffled labels it scores ${figure(ndcg)}, above chance (${figure(popularityNdcg)}, popularity) by ${figure(excess.mean)} (${interval(excess)})`,
    );
  }
  if (trainNdcg !== null && trainNdcg > OVERFITTED_RATIO * holdoutNdcg && overPopularity.high < 0) {
    signs.push(
      `it scores ${figure(trainNdcg)} on moments it was trained on but ${figure(holdoutNdcg)} on the holdout, below popularity's ${figure(popularityNdcg)}`,
    );
  }
  return signs;
}

/**
 * Signs are a loss that still fell, and a gain from twice the epochs. Where twice the epochs were tried and gained
 * nothing worth having, the loss is no sign.
 */
function signsOfUnderTraining({ losses, twiceTheEpochs, holdoutNdcg }: DiagnosisEvidence): string[] {
  const gained = twiceTheEpochs !== null && twiceTheEpochs.mean > WORTH_COLLECTING * holdoutNdcg;
  const signs: string[] = [];
  const fall = lossSentence(losses);
  if (fall !== null && (gained || twiceTheEpochs === null)) signs.push(fall);
  if (gained && (fall !== null || twiceTheEpochs.low > 0)) {
    signs.push(`twice the epochs bring ${figure(twiceTheEpochs.mean)} (${interval(twiceTheEpochs)})`);
  }
  return signs;
}

/** Null when the loss had settled, or there is none. */
function lossSentence(losses: readonly number[]): string | null {
  if (losses.length === 0) return null;
  if (losses.length === 1) return "it was trained for one epoch, which cannot show that the loss has settled";
  const back = Math.max(1, Math.ceil(losses.length / 10));
  const last = losses[losses.length - 1];
  const earlier = losses[losses.length - 1 - back];
  const fall = (earlier - last) / Math.abs(earlier);
  if (!(fall > UNSETTLED_LOSS)) return null;
  return `the loss still fell by ${(100 * fall).toFixed(1)} % over the last ${epochs(back)}, to ${last.toPrecision(3)}`;
}

function signsOfTooLittleData(curve: LearningCurve | null): string[] {
  if (curve === null || !stillRises(curve)) return [];
  const path = curve.points.map(
    ({ share, ndcg }) => `${figure(ndcg.mean)} with ${Math.round(100 * share)} % of the users`,
  );
  const { nextDoubling } = curve;
  return [
    `the learning curve still rises: ${path.join(", ")}; twice the data would bring about ${figure(nextDoubling.mean)} (${interval(nextDoubling)})`,
  ];
}

/** Names only the checks that were made. */
function noSignal({ lift, losses, twiceTheEpochs, learningCurve }: DiagnosisEvidence): string {
  const verdict = lift.high < 0 ? "a confident loss" : "no confident difference";
  const settled = losses.length > 0 && lossSentence(losses) === null;
  const checks = [
    ...(settled ? ["the loss flat"] : []),
    ...(twiceTheEpochs === null ? [] : ["no gain worth having from longer training"]),
    learningCurve === null ? "no learning curve measured" : "the learning curve not clearly rising",
  ];
  return `the lift is ${figure(lift.mean)} (${interval(lift)}), ${verdict}, with ${checks.join(", ")}`;
}

function interval({ low, high }: Estimate): string {
  return `${figure(low)} to ${figure(high)}`;
}

function figure(value: number): string {
  return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(3)}`;
}

function epochs(count: number): string {
  return count === 1 ? "epoch" : `${count} epochs`;
}
