import { type LearningCurve, stillRises, WORTH_COLLECTING } from "../evaluation/learning-curve.ts";
import type { Estimate } from "../evaluation/report.ts";

/** Why a phase does not pay: what its card says when a challenger cannot beat its baseline. */
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
   * The recipe fitted on the training events with their items dealt out anew, minus plain popularity: nothing but
   * popularity can be learned there, so that chance is 0 at most. With a 99 % interval: a false alarm is grave.
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

/** A score on training moments that is so many times the holdout's is knowledge that does not carry over. */
const SHINES = 2;
/** A fall of the loss over the last tenth of the epochs that says training stopped early: 1 %. */
const FALLING = 0.01;

/**
 * The gravest explanation with evidence wins: a leak spoils a lift too, a bug excuses nothing below it, and a tie
 * explains only what is left.
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
    ["under-trained", signsOfHaste(evidence)],
    ["too-little-data", signsOfHunger(evidence.learningCurve)],
  ];
  const found = causes.find(([, signs]) => signs.length > 0);
  if (found !== undefined) return { diagnosis: found[0], evidence: found[1] };
  return { diagnosis: "no-signal", evidence: [tie(evidence)] };
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
  if (trainNdcg !== null && trainNdcg > SHINES * holdoutNdcg && overPopularity.high < 0) {
    signs.push(
      `it scores ${figure(trainNdcg)} on moments it was trained on but ${figure(holdoutNdcg)} on the holdout, below popularity's ${figure(popularityNdcg)}`,
    );
  }
  return signs;
}

/** A falling loss is a sign unless training on was tried and brought nothing worth having; a gain from it always is. */
function signsOfHaste({ losses, twiceTheEpochs, holdoutNdcg }: DiagnosisEvidence): string[] {
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
  if (!(fall > FALLING)) return null;
  return `the loss still fell by ${(100 * fall).toFixed(1)} % over the last ${epochs(back)}, to ${last.toPrecision(3)}`;
}

function signsOfHunger(curve: LearningCurve | null): string[] {
  if (curve === null || !stillRises(curve)) return [];
  const path = curve.points.map(
    ({ share, ndcg }) => `${figure(ndcg.mean)} with ${Math.round(100 * share)} % of the users`,
  );
  const { nextDoubling } = curve;
  return [
    `the learning curve still rises: ${path.join(", ")}; twice the data would bring about ${figure(nextDoubling.mean)} (${interval(nextDoubling)})`,
  ];
}

/** Says only what was looked at. */
function tie({ lift, losses, twiceTheEpochs, learningCurve }: DiagnosisEvidence): string {
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
