import type { Outcome } from "../models/gate/decide.ts";

/** What one look of the judge found. */
export interface Judgement {
  /**
   * A challenger in the shadow, or serving as the canary; or the live version (then `challenger`) beside the one
   * before it, or in service.
   */
  readonly about: "shadow" | "canary" | "watch" | "fleet";
  readonly challenger: string;
  readonly baseline: string;
  readonly verdict: Outcome["verdict"];
  readonly users: number;
  /** Of a shadow: share of the items that the lists of the two have in common, a mean over requests. */
  readonly overlap?: number | undefined;
  readonly sentence: string;
}
