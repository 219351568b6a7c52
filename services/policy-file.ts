import { readFile } from "node:fs/promises";
import { DEFAULT_POLICY, type Policy, PolicyError, parsePolicy } from "../models/gate/policy.ts";
import { PhasewiseError } from "./errors.ts";

/** The policy file, or the defaults where there is none. @throws INVALID_CONFIGURATION naming each wrong field */
export async function readPolicy(file: string | null): Promise<Policy> {
  if (file === null) return DEFAULT_POLICY;
  try {
    return parsePolicy(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const reason =
      error instanceof PolicyError || error instanceof SyntaxError ? error.message : String(error);
    throw new PhasewiseError("INVALID_CONFIGURATION", `${file}: ${reason}`, { file }, error);
  }
}
