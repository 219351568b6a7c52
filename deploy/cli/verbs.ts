import type { Command } from "commander";
import { auditVerb } from "./verbs/audit.ts";
import { cancelVerb } from "./verbs/cancel.ts";
import { cardVerb } from "./verbs/card.ts";
import { compactVerb } from "./verbs/compact.ts";
import { decisionsVerb } from "./verbs/decisions.ts";
import { eraseUserVerb } from "./verbs/erase-user.ts";
import { evaluateVerb } from "./verbs/evaluate.ts";
import { exportModelVerb } from "./verbs/export-model.ts";
import { exportUserVerb } from "./verbs/export-user.ts";
import { importVerb } from "./verbs/import.ts";
import { importModelVerb } from "./verbs/import-model.ts";
import { itemsVerb } from "./verbs/items.ts";
import { judgeVerb } from "./verbs/judge.ts";
import { keysVerb } from "./verbs/keys.ts";
import { ladderVerb } from "./verbs/ladder.ts";
import { policyVerb } from "./verbs/policy.ts";
import { promoteVerb } from "./verbs/promote.ts";
import { registerRemoteVerb } from "./verbs/register-remote.ts";
import { releaseVerb } from "./verbs/release.ts";
import { replayVerb } from "./verbs/replay.ts";
import { rollbackVerb } from "./verbs/rollback.ts";
import { serveVerb } from "./verbs/serve.ts";
import { shadowVerb } from "./verbs/shadow.ts";
import { startVerb } from "./verbs/start.ts";
import { statusVerb } from "./verbs/status.ts";
import { trainVerb } from "./verbs/train.ts";
import { unfreezeVerb } from "./verbs/unfreeze.ts";
import { verifyDecisionVerb } from "./verbs/verify-decision.ts";
import { workVerb } from "./verbs/work.ts";

/** Every verb of the command line, in the order in which `--help` lists them. */
export const VERBS: readonly ((program: Command) => void)[] = [
  startVerb,
  importVerb,
  importModelVerb,
  registerRemoteVerb,
  exportModelVerb,
  trainVerb,
  cancelVerb,
  evaluateVerb,
  statusVerb,
  ladderVerb,
  cardVerb,
  shadowVerb,
  judgeVerb,
  promoteVerb,
  rollbackVerb,
  releaseVerb,
  unfreezeVerb,
  decisionsVerb,
  verifyDecisionVerb,
  auditVerb,
  policyVerb,
  keysVerb,
  compactVerb,
  itemsVerb,
  exportUserVerb,
  eraseUserVerb,
  replayVerb,
  serveVerb,
  workVerb,
];
