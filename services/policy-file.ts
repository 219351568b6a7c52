import { readFile } from "node:fs/promises";
import { Default, Errors } from "typebox/value";
import { EventRules } from "../models/data/event-rules.ts";
import { DEFAULT_POLICY, type Policy, PolicyError, parsePolicy } from "../models/gate/policy.ts";
import { PhasewiseError } from "./errors.ts";

/** What the file says about events: apart from the limits, since what an event means decides nothing about a verdict. */
const EVENT_KEYS: readonly string[] = Object.keys(EventRules.properties);

/**
 * The limits of the policy file, or the defaults where there is none.
 * @throws INVALID_CONFIGURATION naming each wrong field
 */
export async function readPolicy(file: string | null): Promise<Policy> {
  if (file === null) return DEFAULT_POLICY;
  return fromFile(file, (content) => {
    if (typeof content !== "object" || content === null || Array.isArray(content))
      return parsePolicy(content);
    return parsePolicy(
      Object.fromEntries(Object.entries(content).filter(([key]) => !EVENT_KEYS.includes(key))),
    );
  });
}

/** What events and ratings mean by the policy file. @throws INVALID_CONFIGURATION naming the wrong field */
export async function readEventRules(file: string | null): Promise<EventRules> {
  return fromFile(file, (content) => {
    const own = Object.entries((content ?? {}) as object).filter(([key]) => EVENT_KEYS.includes(key));
    const rules = Default(EventRules, Object.fromEntries(own));
    const [problem] = Errors(EventRules, rules);
    if (problem !== undefined) {
      throw new PolicyError([`${problem.instancePath.slice(1).replaceAll("/", ".")}: ${problem.message}`]);
    }
    return rules as EventRules;
  });
}

async function fromFile<T>(file: string | null, read: (content: unknown) => T): Promise<T> {
  if (file === null) return read({});
  try {
    return read(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const reason =
      error instanceof PolicyError || error instanceof SyntaxError ? error.message : String(error);
    throw new PhasewiseError("INVALID_CONFIGURATION", `${file}: ${reason}`, { file }, error);
  }
}
