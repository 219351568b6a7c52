import { clopperPearson } from "./binomial-bounds.ts";
import type { VersionFacts } from "./evidence.ts";
import type { Policy } from "./policy.ts";
import type { ReasonCode, Verdict } from "./reasons.ts";

/** Buckets of a latency histogram: four to a doubling, from 0.25 ms to 14 s. */
export const LATENCY_BUCKETS = 64;
const FINEST_MS = 0.25;
const PER_DOUBLING = 4;

export function latencyBucket(elapsedMs: number): number {
  const bucket = Math.floor(PER_DOUBLING * Math.log2(elapsedMs / FINEST_MS));
  return Math.max(0, Math.min(LATENCY_BUCKETS - 1, bucket));
}

/** Every latency in the bucket is at least this long. */
export function bucketStartMs(bucket: number): number {
  return bucket === 0 ? 0 : FINEST_MS * 2 ** (bucket / PER_DOUBLING);
}

/** How the live version does in service now, summed over all replicas that serve it. */
export interface FleetEvidence {
  readonly live: VersionFacts;
  /** Version that a rollback returns to. */
  readonly previous: string;
  readonly epoch: number;
  readonly replicas: number;
  /** Requests in the latest window, and those that the live version did not answer. */
  readonly requests: number;
  readonly errors: number;
  /** (LATENCY_BUCKETS) answers by how long they took. */
  readonly latency: readonly number[];
}

export interface FleetRuling {
  /** reject: leave the version at once; hold: too little traffic to say; pass: nothing wrong. */
  readonly verdict: Verdict;
  readonly reasons: readonly ReasonCode[];
  readonly replicas: number;
  readonly requests: number;
  readonly errors: number;
  /** Lower bound of the error rate. */
  readonly errorRate: number;
  /** Lower bound of the p99, milliseconds. */
  readonly p99Ms: number;
  readonly limits: { readonly errorRate: number; readonly p99Ms: number };
}

/**
 * Rejects a version whose error rate or p99 is beyond its limit for certain. Both are judged by their lower confidence
 * bounds: looks are frequent, and an unlucky minute must not cost a good version its place. p99 > L means that more than
 * 1 % of the answers took longer than L.
 */
export function judgeFleet(evidence: FleetEvidence, policy: Policy): FleetRuling {
  const { replicas, requests, errors, latency } = evidence;
  const limits = { errorRate: policy.rollback.fleetErrorRate, p99Ms: policy.rollback.fleetP99Ms };
  const unknown = { replicas, requests, errors, errorRate: 0, p99Ms: 0, limits };
  if (!isSound(evidence)) return { verdict: "hold", reasons: ["EVIDENCE_NOT_FINITE"], ...unknown };
  if (requests < policy.rollback.fleetMinimumRequests) {
    return { verdict: "hold", reasons: ["FLEET_TOO_QUIET"], ...unknown };
  }
  const confidence = policy.guardrails.harmConfidence;
  const errorRate = clopperPearson(errors, requests, confidence).lower;
  const p99Ms = lowerP99(latency, confidence);
  const reasons: ReasonCode[] = [];
  if (errorRate > limits.errorRate) reasons.push("FLEET_ERRORS");
  if (p99Ms > limits.p99Ms) reasons.push("FLEET_SLOW");
  return {
    ...(reasons.length > 0
      ? { verdict: "reject" as const, reasons }
      : { verdict: "pass" as const, reasons: ["FLEET_SOUND" as const] }),
    replicas,
    requests,
    errors,
    errorRate,
    p99Ms,
    limits,
  };
}

/** The longest bucket start that more than 1 % of the answers reach, with the given confidence. */
function lowerP99(latency: readonly number[], confidence: number): number {
  const answers = latency.reduce((sum, count) => sum + count, 0);
  let reaching = 0;
  for (let bucket = latency.length - 1; bucket > 0; bucket--) {
    reaching += latency[bucket];
    if (reaching === 0) continue;
    if (clopperPearson(reaching, answers, confidence).lower > 0.01) return bucketStartMs(bucket);
  }
  return 0;
}

function isSound({ requests, errors, latency }: FleetEvidence): boolean {
  const isCount = (value: number) => Number.isInteger(value) && value >= 0;
  return [requests, errors, ...latency].every(isCount) && errors <= requests;
}
