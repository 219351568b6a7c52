#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { PhasewiseError } from "../../services/errors.ts";
import { ApiError } from "./api-client.ts";
import { EXIT } from "./output.ts";
import { auditVerb } from "./verbs/audit.ts";
import { cancelVerb } from "./verbs/cancel.ts";
import { cardVerb } from "./verbs/card.ts";
import { compactVerb } from "./verbs/compact.ts";
import { decisionsVerb } from "./verbs/decisions.ts";
import { evaluateVerb } from "./verbs/evaluate.ts";
import { exportModelVerb } from "./verbs/export-model.ts";
import { importVerb } from "./verbs/import.ts";
import { importModelVerb } from "./verbs/import-model.ts";
import { ladderVerb } from "./verbs/ladder.ts";
import { policyVerb } from "./verbs/policy.ts";
import { promoteVerb } from "./verbs/promote.ts";
import { replayVerb } from "./verbs/replay.ts";
import { rollbackVerb } from "./verbs/rollback.ts";
import { serveVerb } from "./verbs/serve.ts";
import { shadowVerb } from "./verbs/shadow.ts";
import { startVerb } from "./verbs/start.ts";
import { trainVerb } from "./verbs/train.ts";
import { unfreezeVerb } from "./verbs/unfreeze.ts";
import { verifyDecisionVerb } from "./verbs/verify-decision.ts";
import { workVerb } from "./verbs/work.ts";

const program = new Command("phasewise")
  .description("A recommendation service that climbs the model ladder only when the evidence pays for it.")
  .showHelpAfterError("(phasewise --help lists the verbs)")
  .addHelpText(
    "after",
    "\nExit codes: 0 done · 1 failed · 2 wrong usage · 3 conflict (someone else promoted) · 4 held or rejected · 5 service unreachable",
  )
  .exitOverride();

const verbs = [
  startVerb,
  importVerb,
  importModelVerb,
  exportModelVerb,
  trainVerb,
  cancelVerb,
  evaluateVerb,
  ladderVerb,
  cardVerb,
  shadowVerb,
  promoteVerb,
  rollbackVerb,
  unfreezeVerb,
  decisionsVerb,
  verifyDecisionVerb,
  auditVerb,
  policyVerb,
  compactVerb,
  replayVerb,
  serveVerb,
  workVerb,
];
for (const addVerb of verbs) addVerb(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  // Commander has already written its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const json = process.argv.includes("--json");
  const message = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof PhasewiseError ? error.code : error instanceof ApiError ? error.status : undefined;
  process.stderr.write(
    json ? `${JSON.stringify({ error: { message, code } })}\n` : `phasewise: ${message}\n`,
  );
  if (!json && !(error instanceof PhasewiseError) && !(error instanceof ApiError) && error instanceof Error) {
    process.stderr.write(`${error.stack?.split("\n").slice(1, 6).join("\n") ?? ""}\n`);
  }
  if (error instanceof ApiError) {
    if (error.status === 0) return EXIT.unreachable;
    return error.status === 409 ? EXIT.conflict : EXIT.failed;
  }
  return EXIT.failed;
}
