import type { EvaluationSummary } from "../../models/evaluation/report.ts";
import { signed } from "../../models/evaluation/signed.ts";
import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { Ladder, LadderVersion } from "../../services/serving/routes/ladder.ts";
import type { Look } from "../../services/shadow/looks.ts";
import { openTable } from "./open-table.ts";
import { table } from "./output.ts";

/** Looks that say more than the last decision: the judge looks often, and records a hold only when it changes. */
const CLIMBING: ReadonlySet<Look["about"]> = new Set(["shadow", "canary"]);

/** The ladder for people: a row a version, lowest rung first, and below it each verdict in words. */
export function ladderTable({ live, phases }: Ladder): string {
  const head = [
    "phase",
    "recipe",
    "version",
    "state",
    "nDCG@10 [95 %]",
    "lift over its baseline",
    "coverage",
    "train s",
    "MB",
    "p99 ms",
  ];
  const versions = phases.flatMap(({ phase, name, versions: rows }) =>
    [...rows]
      .sort((a, b) => (a.registeredAt < b.registeredAt ? -1 : 1))
      .map((version) => ({ ...version, rung: `${phase} ${name}` })),
  );
  const rows = versions.map((version) => [
    version.rung,
    version.recipe,
    version.version.slice(version.recipe.length + 1),
    stateOf(version, live),
    ndcg(version.offline),
    lift(version.lastDecision),
    version.offline === null ? "–" : `${(version.offline.metrics.coverage * 100).toFixed(1)} %`,
    version.cost === null ? "–" : (version.cost.fitSeconds + version.cost.searchSeconds).toFixed(1),
    version.cost === null ? "–" : (version.cost.artifactBytes / 1e6).toFixed(2),
    version.cost === null ? "–" : version.cost.p99Ms.toFixed(2),
  ]);
  const sentences = versions.map(
    (version) => `  ${version.version} (${stateOf(version, live)}): ${verdictOf(version)}`,
  );
  const looks = versions.flatMap(({ lastLook }) => (lastLook === null ? [] : [lastLook]));
  return [...liveLines(live), table(head, rows), "", "Verdicts", ...sentences, ...openTable(looks)].join(
    "\n",
  );
}

/** What is live since when, and the stack of what a rollback can return to, nearest first. */
export function liveLines(live: LivePointer | null): string[] {
  if (live === null) return ["Nothing is live yet."];
  const { version, since, stack, floor } = live;
  const below = [...new Set([...stack, floor])].filter((one) => one !== version);
  const [next, ...deeper] = below;
  const way =
    next === undefined
      ? "it is the floor"
      : `a rollback returns to ${next}${deeper.length === 0 ? "" : `, below it ${deeper.join(", ")}`}`;
  return [`Live: ${version} since ${since.slice(0, 16).replace("T", " ")} UTC; ${way}.`];
}

function stateOf({ version, state, live }: LadderVersion, pointer: LivePointer | null): string {
  if (live) return "▶ LIVE";
  const canary = pointer?.canary ?? null;
  return canary?.version === version ? `${state} ${Number((100 * canary.share).toFixed(2))} %` : state;
}

function ndcg(offline: EvaluationSummary | null): string {
  if (offline === null) return "–";
  const { mean, low, high } = offline.ndcg;
  return `${mean.toFixed(4)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

function lift(decision: DecisionSummary | null): string {
  if (decision === null) return "–";
  const { ruling } = decision;
  if ("test" in ruling && ruling.test !== null) {
    const { test } = ruling;
    // The end of its range excludes nothing, and would look like a finding.
    const bound = test.lowerBound > -(test.capped?.cap ?? 1) ? `, ≥ ${signed(test.lowerBound)}` : "";
    return `${signed(test.lift)}${bound} (shadow, ${test.users} users)`;
  }
  if (!("result" in ruling) || !Number.isFinite(ruling.result.lowerBound)) return "–";
  const { result } = ruling;
  return `${signed(result.lift)} [${signed(result.lowerBound)}, ${signed(result.upperBound)}] (holdout, ${result.users} users)`;
}

/** What is out of service for a reason of its own is told by that reason: how it once passed says nothing now. */
const TOLD_BY_STATE: ReadonlySet<LadderVersion["state"]> = new Set([
  "QUARANTINED",
  "RETIRED",
  "PREVIOUS",
  "STALE",
]);

function verdictOf({ lastDecision, lastLook, reason, diagnosis, live, state }: LadderVersion): string {
  const standing = lastLook !== null && CLIMBING.has(lastLook.about) ? lastLook.sentence : null;
  const verdict = TOLD_BY_STATE.has(state)
    ? `${reason[0]?.toUpperCase() ?? ""}${reason.slice(1)}.`.replace(/\.+$/, ".")
    : (standing ?? lastDecision?.sentence ?? reason);
  if (diagnosis === null || live) return verdict;
  return `${verdict} ${diagnosis[0].toUpperCase()}${diagnosis.slice(1)}.`;
}
