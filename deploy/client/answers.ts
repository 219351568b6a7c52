import type { TrainingCost } from "../../models/artifact/manifest.ts";
import type { EvaluationSummary } from "../../models/evaluation/report.ts";
import type { Outcome } from "../../models/gate/decide.ts";
import type { ScreenRuling } from "../../models/gate/screening.ts";
import type { LivePointer, VersionRecord } from "../../services/registry/types.ts";
import type { Look } from "../../services/shadow/looks.ts";

/** A decision as the API gives it: its ruling, and in words. */
export interface DecisionSummary {
  readonly id: string;
  readonly at: string;
  readonly challenger: string;
  readonly baseline: string;
  readonly sentence: string;
  readonly ruling: Partial<Outcome> & Partial<ScreenRuling> & { readonly verdict: string };
}

/** What `GET /ladder` answers. */
export interface Ladder {
  readonly live: LivePointer | null;
  readonly phases: readonly {
    readonly phase: number;
    readonly name: string;
    readonly versions: readonly (VersionRecord & {
      readonly live: boolean;
      readonly offline: EvaluationSummary | null;
      readonly cost: TrainingCost | null;
      readonly diagnosis: string | null;
      readonly lastDecision: DecisionSummary | null;
      readonly lastLook: Look | null;
    })[];
  }[];
}
