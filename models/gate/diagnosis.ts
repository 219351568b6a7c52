import type { Estimate } from "../evaluation/report.ts";

/** Why a phase does not pay: what its card says when a challenger cannot beat its baseline. */
export type Diagnosis = "leak-or-bug" | "under-trained" | "too-little-data" | "no-signal";

export interface DiagnosisEvidence {
  /** Challenger − baseline on the holdout. */
  readonly lift: Estimate;
  /** nDCG@10 on training users and on the holdout, and of plain popularity on the holdout. */
  readonly trainNdcg: number | null;
  readonly holdoutNdcg: number;
  readonly popularityNdcg: number;
  /** The recipe fitted on shuffled labels, and what chance gives there. */
  readonly shuffledControl: { readonly ndcg: Estimate; readonly chance: number } | null;
  /** Lists of the holdout that held an item of the user's own history. */
  readonly seenItemLists: number;
  /** Training loss after each epoch; empty for recipes without one. */
  readonly losses: readonly number[];
  /** Holdout nDCG@10 of the recipe fitted on shares of the data, ascending. */
  readonly learningCurve: readonly { readonly share: number; readonly ndcg: number }[];
}

export interface DiagnosisReport {
  /** Null when the challenger does beat its baseline. */
  readonly diagnosis: Diagnosis | null;
  /** One plain sentence a piece of evidence, with its numbers. */
  readonly evidence: readonly string[];
}

/** A gain between the last two shares of the data that is worth more data: 3 % of the score. */
const RISING = 0.03;
/** A fall of the loss over the last tenth of the epochs that says training stopped early: 1 %. */
const FALLING = 0.01;

/** The gravest explanation with evidence wins: a bug excuses nothing below it, and a tie explains only what is left. */
export function diagnose(evidence: DiagnosisEvidence): DiagnosisReport {
  if (evidence.lift.low > 0) {
    return {
      diagnosis: null,
      evidence: [`the lift is ${figure(evidence.lift.mean)}, above 0 with confidence`],
    };
  }
  const causes: readonly [Diagnosis, string[]][] = [
    ["leak-or-bug", signsOfALeak(evidence)],
    ["under-trained", signsOfHaste(evidence.losses)],
    ["too-little-data", signsOfHunger(evidence.learningCurve)],
  ];
  const found = causes.find(([, signs]) => signs.length > 0);
  if (found !== undefined) return { diagnosis: found[0], evidence: found[1] };
  return { diagnosis: "no-signal", evidence: [tie(evidence.lift)] };
}

function signsOfALeak(evidence: DiagnosisEvidence): string[] {
  const { trainNdcg, holdoutNdcg, popularityNdcg, shuffledControl, seenItemLists } = evidence;
  const signs: string[] = [];
  if (seenItemLists > 0) signs.push(`${seenItemLists} lists held an item of the user's own history`);
  if (shuffledControl !== null && shuffledControl.ndcg.low > shuffledControl.chance) {
    signs.push(
      `fitted on shuffled labels it scores ${figure(shuffledControl.ndcg.mean)} where chance gives ${figure(shuffledControl.chance)}`,
    );
  }
  if (trainNdcg !== null && trainNdcg > 2 * popularityNdcg && holdoutNdcg < popularityNdcg) {
    signs.push(
      `it scores ${figure(trainNdcg)} on its training users but ${figure(holdoutNdcg)} on the holdout, below popularity's ${figure(popularityNdcg)}`,
    );
  }
  return signs;
}

function signsOfHaste(losses: readonly number[]): string[] {
  if (losses.length < 2) return [];
  const back = Math.max(1, Math.ceil(losses.length / 10));
  const last = losses[losses.length - 1];
  const earlier = losses[losses.length - 1 - back];
  const fall = (earlier - last) / Math.abs(earlier);
  if (!(fall > FALLING)) return [];
  return [
    `the loss still fell by ${(100 * fall).toFixed(1)} % over the last ${epochs(back)}, to ${last.toPrecision(3)}`,
  ];
}

function signsOfHunger(curve: DiagnosisEvidence["learningCurve"]): string[] {
  if (curve.length < 2) return [];
  const [before, full] = curve.slice(-2);
  const gain = (full.ndcg - before.ndcg) / full.ndcg;
  if (!(gain > RISING)) return [];
  return [
    `the learning curve still rises: ${figure(before.ndcg)} with ${percent(before.share)} of the data, ${figure(full.ndcg)} with ${percent(full.share)}`,
  ];
}

function tie({ mean, low, high }: Estimate): string {
  const verdict = high < 0 ? "a confident loss" : "no confident difference";
  return `the lift is ${figure(mean)} (${figure(low)} to ${figure(high)}), ${verdict}, with the loss flat and the learning curve level`;
}

function figure(value: number): string {
  return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(3)}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function epochs(count: number): string {
  return count === 1 ? "epoch" : `${count} epochs`;
}
