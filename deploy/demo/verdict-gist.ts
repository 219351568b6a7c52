import { signed } from "../../models/evaluation/signed.ts";
import { aboutMoreUsers, words } from "../../models/gate/explain-words.ts";
import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { AuditEntry } from "../../services/registry/types.ts";

/** A decision in the few words of a column; its sentence has the rest. */
export function gistOf({ about, ruling }: DecisionSummary): string {
  if ("admitted" in ruling) {
    const { lift, users } = ruling.result;
    const found = users === 0 ? "" : `, offline ${signed(lift)}`;
    if (ruling.verdict === "reject") return `REJECTED${found}`;
    return ruling.admitted ? `to the shadow${found}` : `screened${found}`;
  }
  const test = "test" in ruling ? ruling.test : null;
  const lift = test === null ? "" : signed(test.lift);
  if (about === "watch" || about === "canary" || about === "fleet") {
    if (ruling.verdict === "reject") return `harm: ${words(ruling.reasons[0])}`;
    return ruling.verdict === "pass" ? "kept: no loss proven" : "watched: no loss proven";
  }
  if (ruling.verdict === "reject") return `REJECTED: ${ruling.reasons.map(words).join(", ")}`;
  if (ruling.verdict === "pass") return `passed with ${lift}; waits`;
  if (test === null || test.users === 0) return "open: nobody judged yet";
  const more =
    test.moreUsers === null
      ? "no proof in sight"
      : test.moreUsers === 0
        ? words(ruling.reasons[0])
        : aboutMoreUsers(test.moreUsers);
  return `open at ${lift}: ${more}`;
}

/** A move of the live pointer; `decision` is the one that it follows from. */
export function gistOfMove(move: AuditEntry, decision: DecisionSummary | undefined): string {
  const { action, from, version } = move;
  if (from === null) return "LIVE: the floor";
  if (action === "rollback" || action === "auto-rollback") return `LIVE again: ${recipeOf(from)} was left`;
  const test = decision !== undefined && "test" in decision.ruling ? decision.ruling.test : null;
  const over = recipeOf(from) === recipeOf(version) ? "the one before" : recipeOf(from);
  if (action === "force-promote") return `LIVE, forced over ${over}`;
  return test === null ? `LIVE over ${over}` : `LIVE, ${signed(test.lift)} over ${over}`;
}

/** A version is named by its recipe and a hash. */
export function recipeOf(version: string): string {
  return version.slice(0, version.lastIndexOf("-"));
}

export function usersOf({ ruling }: DecisionSummary): number | null {
  if ("result" in ruling) return ruling.result.users;
  return "test" in ruling && ruling.test !== null ? ruling.test.users : null;
}
