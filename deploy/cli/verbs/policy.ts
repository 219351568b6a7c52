import type { Command } from "commander";
import { policyReference } from "../../../models/gate/policy-reference.ts";
import { policySchema } from "../../../models/gate/policy-schema.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";

export function policyVerb(program: Command): void {
  program
    .command("policy")
    .description("every limit of the policy file: default, unit, what is allowed and what it means")
    .option("--json", "the JSON Schema of the file")
    .action((options: OutputOptions) => print(policySchema, options, policyReference));
}
