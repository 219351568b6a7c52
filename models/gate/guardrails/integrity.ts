import type { ShadowEvidence } from "../evidence.ts";
import { atMost, defineGuardrail, guardrail } from "./guardrail.ts";

/** The counts must add up, little may be shed, the sham lane must agree with itself, and training ended before. */
export const INTEGRITY = defineGuardrail({
  codes: {
    SAMPLING_INTEGRITY: {
      name: "sampling counts",
      measure: "unaccounted requests",
      unit: "requests",
      isOfService: true,
    },
    SHED: { name: "shedding", measure: "the share of requests shed", unit: "share", isOfService: true },
    SHAM_LANE: {
      name: "sham lane",
      measure: "agreement of the baseline with itself",
      unit: "share",
      isOfService: true,
    },
    TRAINED_PAST_CUT: { name: "training cut", measure: "training data", unit: "s" },
  },
  judge: (evidence, { guardrails: limits }) => [
    counts(evidence.sampling),
    shed(evidence.sampling, limits.shedShare),
    shamLane(evidence.sham),
    trainedBefore(evidence.window),
  ],
});

/** sampled = joined + unanswered + early + pending + shed + failed: no request may vanish on its way. */
function counts(sampling: ShadowEvidence["sampling"]) {
  if (sampling === null || !isCounted(sampling)) return guardrail("SAMPLING_INTEGRITY", "missing");
  const { sampled, joined, unanswered, early, pending, shed, failed } = sampling;
  const value = sampled - (joined + unanswered + early + pending + shed + failed);
  return guardrail("SAMPLING_INTEGRITY", value === 0 ? "pass" : "fail", { value, sampled, early, limit: 0 });
}

function shed(sampling: ShadowEvidence["sampling"], limit: number) {
  const counted = sampling !== null && isCounted(sampling);
  return atMost("SHED", counted ? sampling.shed / sampling.sampled : undefined, limit);
}

function isCounted(sampling: NonNullable<ShadowEvidence["sampling"]>): boolean {
  return sampling.sampled > 0 && Object.values(sampling).every(Number.isFinite);
}

/** An identical model must give identical lists; if not, the comparison itself is broken. */
function shamLane(sham: ShadowEvidence["sham"]) {
  if (sham === null || !(sham.requests > 0) || !Number.isFinite(sham.identical)) {
    return guardrail("SHAM_LANE", "missing");
  }
  const value = sham.identical / sham.requests;
  return guardrail("SHAM_LANE", value === 1 ? "pass" : "fail", { value, requests: sham.requests, limit: 1 });
}

/** A model that has seen the events it is judged on knows the answers. */
export function trainedBefore(window: ShadowEvidence["window"]) {
  if (window === null || !Number.isFinite(window.trainedThrough) || !Number.isFinite(window.judgedFrom)) {
    return guardrail("TRAINED_PAST_CUT", "missing");
  }
  const { trainedThrough, judgedFrom } = window;
  const outcome = trainedThrough <= judgedFrom ? "pass" : "fail";
  return guardrail("TRAINED_PAST_CUT", outcome, { trainedThrough, judgedFrom });
}
