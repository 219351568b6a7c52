import { Default, Errors } from "typebox/value";
import { canonicalJson, isRecord, sha256 } from "../canonical-json.ts";
import { type Policy, policySchema } from "./policy-schema.ts";

export type { Policy } from "./policy-schema.ts";

/**
 * Reads a policy file: what it leaves out keeps its default, what it misspells is refused.
 * @throws PolicyError that names every wrong field
 */
export function parsePolicy(file: unknown): Policy {
  if (!isRecord(file)) {
    throw new PolicyError([`expected an object with limits, got ${file === null ? "null" : typeof file}`]);
  }
  const completed = Default(policySchema, structuredClone(file));
  const problems = Errors(policySchema, completed).map((error) => {
    const field = error.instancePath.slice(1).replaceAll("/", ".") || "policy";
    if (error.keyword === "additionalProperties") {
      return `${field}: unknown field ${error.params.additionalProperties.join(", ")}; remove or correct it`;
    }
    return `${field}: ${error.message}, got ${JSON.stringify(valueAt(completed, error.instancePath))}`;
  });
  if (problems.length > 0) throw new PolicyError([...new Set(problems)]);
  const policy = completed as Policy;
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

/** The schema says each default beside its limit. */
export const DEFAULT_POLICY: Policy = parsePolicy({});

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

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split("/").slice(1)) {
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at;
}
