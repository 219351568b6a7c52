import { Errors } from "typebox/value";
import { canonicalJson, isRecord, sha256 } from "../canonical-json.ts";
import { type Policy, policySchema } from "./policy-schema.ts";

export type { Policy } from "./policy-schema.ts";

export const DEFAULT_POLICY: Policy = {
  formatVersion: 1,
  alpha: 0.05,
  mde: 0.01,
  margins: { upgradeCap: 0.05, perPhase: 0.01, perCostDoubling: 0.01, refresh: 0.01 },
  screen: { admit: "not-rejected", confidence: 0.95, resamples: 2000, minimumUsers: 30 },
  shadow: {
    samplingRate: 1,
    requestsPerUser: 20,
    relevantEvents: 10,
    attributionDays: 7,
    attributionEvents: 0,
    minimumUsers: 100,
    listUsers: 1000,
    latencySamples: 5000,
    exposureShare: 0.2,
    timeoutMs: 250,
    repeatEvery: 10,
    consecutiveFaults: 5,
    ringSize: 1000,
    waitingBatches: 4000,
    overtakenSeconds: 60,
    batchSize: 50,
    maximumChallengers: 3,
  },
  interleaving: { share: 0.05, alphaShare: 0.5, mde: 0.05, consecutiveFailures: 5, minimumUsers: 100 },
  guardrails: {
    confidence: 0.95,
    harmConfidence: 0.999,
    resamples: 1000,
    failureRate: 0.001,
    latencyBudgetMs: 50,
    latencyRatio: 1.2,
    latencyNegligibleMs: 10,
    coverageRatio: 0.9,
    noveltyRatio: 0.9,
    diversityRatio: 0.9,
    giniIncrease: 0.03,
    cohortLoss: 0.05,
    coldBelow: 5,
    heavyFrom: 50,
    cohortMinimumUsers: 20,
    listMinimumUsers: 30,
    cohortNegligibleShare: 0.1,
    memoryMb: 1024,
    cpuMsPerRequest: 25,
    trainingSeconds: 14_400,
    shedShare: 0.2,
  },
  promotion: { automatic: false, canaryShares: [], canaryUsers: 200 },
  rollback: {
    automatic: true,
    consecutiveFailures: 5,
    failureRate: 0.05,
    failureWindow: 200,
    requestTimeoutMs: 250,
    fleetErrorRate: 0.01,
    fleetP99Ms: 250,
    fleetWindowSeconds: 60,
    fleetMinimumRequests: 200,
    watchUsers: 1000,
    automaticPerDay: 2,
  },
  drift: {
    minimumEvents: 500,
    popularityPsi: 0.25,
    historyLengthPsi: 0.25,
    unknownItemRise: 0.2,
    unknownUserRise: 0.2,
    eventRateFactor: 3,
  },
  training: {
    holdoutShare: 0.2,
    validationShare: 0.15,
    trials: 20,
    trialsAtOnce: 4,
    warmStart: false,
    analysisSeconds: 600,
  },
  schedule: { judgeEverySeconds: 30, compactEveryHours: 6, driftEveryHours: 6, retrainEveryHours: 24 },
};

/**
 * Reads a policy file: what it leaves out keeps its default, what it misspells is refused.
 * @throws PolicyError that names every wrong field
 */
export function parsePolicy(file: unknown): Policy {
  if (!isRecord(file)) {
    throw new PolicyError([`expected an object with limits, got ${file === null ? "null" : typeof file}`]);
  }
  const merged = overlaid(DEFAULT_POLICY, file);
  const problems = Errors(policySchema, merged).map((error) => {
    const field = error.instancePath.slice(1).replaceAll("/", ".") || "policy";
    if (error.keyword === "additionalProperties") {
      return `${field}: unknown field ${error.params.additionalProperties.join(", ")}; remove or correct it`;
    }
    return `${field}: ${error.message}, got ${JSON.stringify(valueAt(merged, error.instancePath))}`;
  });
  if (problems.length > 0) throw new PolicyError([...new Set(problems)]);
  const policy = merged as unknown as Policy;
  if (policy.guardrails.heavyFrom <= policy.guardrails.coldBelow) {
    throw new PolicyError([
      `guardrails.heavyFrom: expected more than coldBelow ${policy.guardrails.coldBelow}, got ${policy.guardrails.heavyFrom}`,
    ]);
  }
  const { canaryShares } = policy.promotion;
  if (canaryShares.some((step, position) => position > 0 && step <= canaryShares[position - 1])) {
    throw new PolicyError([
      `promotion.canaryShares: expected each share larger than the one before, got ${JSON.stringify(canaryShares)}`,
    ]);
  }
  return policy;
}

/** SHA-256 of the completed policy: the same for every way to write the same limits. */
export function policySha256(policy: Policy): string {
  return sha256(canonicalJson(policy));
}

export class PolicyError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`policy: ${problems.join("; ")}`);
    this.name = "PolicyError";
    this.problems = problems;
  }
}

function overlaid(defaults: object, given: Record<string, unknown>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    const fallback = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const nested = isRecord(fallback) && isRecord(value) ? overlaid(fallback, value) : value;
    Object.defineProperty(merged, key, {
      value: nested,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return merged;
}

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split("/").slice(1)) {
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at;
}
