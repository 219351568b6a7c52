import type { Trial } from "../artifact/manifest.ts";
import type { Estimate } from "../evaluation/report.ts";
import type { Lever, Params, Recipe } from "../recipe.ts";
import { bestTrial } from "../tuning/best-trial.ts";

/** A lever with the settings that are compared, and whether the model uses it. */
export interface LeverSetting extends Lever {
  readonly used: boolean;
}

/** nDCG gained on the same holdout users, paired. */
export interface LeverGain {
  readonly name: string;
  readonly summary: string;
  readonly used: boolean;
  readonly off: Params;
  readonly on: Params;
  /** On alone, over every lever off. */
  readonly alone: Estimate;
  /** Every lever on, over all but this one. */
  readonly lastIn: Estimate;
}

export interface LeverReport {
  readonly levers: readonly LeverGain[];
  /** Every lever on, over every lever off. */
  readonly together: Estimate;
  /** nDCG with every lever off, and with every one on. */
  readonly off: Estimate;
  readonly on: Estimate;
}

/**
 * What can be measured of a model: its recipe's levers, on as the model has them or else as the recipe suggests, and
 * the search of its other parameters, the defaults against what the search found best on validation (also when the
 * find was too small to be used). No search and the defaults: nothing to measure there.
 */
export function leverSettings(recipe: Recipe, params: Params, trials: readonly Trial[]): LeverSetting[] {
  const features = (recipe.levers ?? []).map((lever) => {
    const names = Object.keys(lever.off);
    const used = differs(params, lever.off, names);
    return { ...lever, on: used ? pick(params, names) : lever.on, used };
  });
  const taken = new Set(features.flatMap(({ off }) => Object.keys(off)));
  const names = Object.keys(recipe.space).filter((name) => !taken.has(name));
  const off = pick(recipe.defaults, names);
  const used = differs(params, off, names);
  const on = used ? pick(params, names) : pick(bestTrial(trials)?.params ?? recipe.defaults, names);
  if (!differs(on, off, names)) return features;
  const summary = "hyper-parameters as the search found them, not the recipe's defaults";
  return [...features, { name: "search", summary, off, on, used }];
}

/** The parameters with some levers on and the others off. */
export function withLevers(
  params: Params,
  settings: readonly LeverSetting[],
  isOn: (lever: LeverSetting) => boolean,
): Params {
  const chosen = settings.map((lever) => (isOn(lever) ? lever.on : lever.off));
  return Object.assign({}, params, ...chosen);
}

function pick(params: Params, names: readonly string[]): Params {
  return Object.fromEntries(names.map((name) => [name, params[name]]));
}

function differs(params: Params, from: Params, names: readonly string[]): boolean {
  return names.some((name) => params[name] !== from[name]);
}
