import type { Decision, Hearing } from "../../models/gate/decision.ts";

/** What a list of decisions says of each: the evidence, thousands of figures, is fetched by id. */
export type DecisionSummary = Omit<Decision, "hearing" | "policy"> & { readonly about: Hearing["about"] };

export function decisionSummary({ hearing, policy: _, ...summary }: Decision): DecisionSummary {
  return { ...summary, about: hearing.about };
}
