import type { EvaluationSummary } from "../../models/evaluation/report.ts";
import { signed } from "../../models/evaluation/signed.ts";
import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { Ladder, LadderVersion } from "../../services/serving/routes/ladder.ts";
import { openTable } from "./open-table.ts";
import { table, wrapped } from "./table.ts";
import { verdictOf } from "./verdict-words.ts";

/** The ladder for people, within 80 characters: a row a version, lowest rung first, named by what is copied. */
export function ladderTable(ladder: Ladder): string {
  const rows = versionsOf(ladder).map((version) => [
    String(version.phase),
    version.version,
    stateOf(version, ladder.live),
    ndcg(version.offline),
    ...lift(version.lastDecision),
  ]);
  const head = ["phase", "version", "state", "nDCG@10", "lift", "users"];
  const superseded = allOf(ladder).filter(isSuperseded).length;
  const left =
    superseded === 0
      ? []
      : [`and ${superseded} that a later version of the same line superseded (audit, /models)`];
  return [...liveLines(ladder.live), "", table(head, rows), ...left].join("\n");
}

/** Below it each verdict in words, and what is open. */
export function ladderInWords(ladder: Ladder): string {
  const versions = versionsOf(ladder);
  const sentences = versions.map((version) =>
    wrapped(`${version.version} (${stateOf(version, ladder.live)}): ${verdictOf(version)}`, {
      indent: "  ",
      hanging: "    ",
    }),
  );
  const looks = versions.flatMap(({ lastLook, live }) => (lastLook === null || live ? [] : [lastLook]));
  return [
    ladderTable(ladder),
    "",
    "Verdicts",
    ...sentences,
    ...openTable(looks),
    ...forecastLines(ladder.forecasts),
    ...holdbackLines(ladder.holdback),
  ].join("\n");
}

function holdbackLines(holdback: Ladder["holdback"]): string[] {
  if (holdback === null) return [];
  const share = Number((100 * holdback.share).toFixed(2));
  return ["", `Holdback, ${share} % of the users on the floor`, wrapped(holdback.sentence, { indent: "  " })];
}

/** Before anything is trained: what a verdict would take, a line a rung. */
export function forecastLines(forecasts: Ladder["forecasts"]): string[] {
  const [first] = forecasts;
  if (first === undefined) return [];
  const lines = forecasts.map(({ phase, sentence }) =>
    wrapped(`phase ${phase}: ${sentence}`, { indent: "  ", hanging: "    " }),
  );
  const rate = Number(first.usersPerDay.toPrecision(2));
  return ["", `A challenger trained now, at ${rate} users a day`, ...lines];
}

/** What each version costs, and how certain and how varied its lists are. */
export function figuresTable(ladder: Ladder): string {
  const rows = versionsOf(ladder).map(({ version, offline, cost }) => [
    version,
    offline === null || offline.users === 0
      ? "–"
      : `${offline.ndcg.low.toFixed(3)} to ${offline.ndcg.high.toFixed(3)}`,
    offline === null || offline.users === 0 ? "–" : `${(offline.metrics.coverage * 100).toFixed(1)} %`,
    cost === null ? "–" : (cost.fitSeconds + cost.searchSeconds).toFixed(1),
    cost === null ? "–" : (cost.artifactBytes / 1e6).toFixed(2),
    cost === null ? "–" : cost.p99Ms.toFixed(2),
  ]);
  return table(["version", "95 % interval", "coverage", "train s", "MB", "p99 ms"], rows);
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
  return [wrapped(`Live: ${version} since ${since.slice(0, 16).replace("T", " ")} UTC; ${way}.`)];
}

function allOf({ phases }: Ladder): readonly LadderVersion[] {
  return phases.flatMap(({ versions }) =>
    [...versions].sort((a, b) => (a.registeredAt < b.registeredAt ? -1 : 1)),
  );
}

/** Who retrains every day has hundreds of them, and the latest of a line speaks for all. */
function versionsOf(ladder: Ladder): readonly LadderVersion[] {
  return allOf(ladder).filter((version) => !isSuperseded(version));
}

function isSuperseded({ state, reason }: LadderVersion): boolean {
  return state === "RETIRED" && reason.startsWith("superseded by ");
}

function stateOf({ version, state, live }: LadderVersion, pointer: LivePointer | null): string {
  if (live) return "▶ LIVE";
  const canary = pointer?.canary ?? null;
  return canary?.version === version ? `${state} ${Number((100 * canary.share).toFixed(2))} %` : state;
}

/** Mean and half the width of its interval: enough to compare rows by; `figuresTable` has the ends. */
function ndcg(offline: EvaluationSummary | null): string {
  if (offline === null || offline.users === 0) return "–";
  const { mean, low, high } = offline.ndcg;
  return `${mean.toFixed(4)} ± ${((high - low) / 2).toFixed(3).replace(/^0/, "")}`;
}

/** The lift over its baseline and by how many users it was judged; of the holdout where no other is known. */
function lift(decision: DecisionSummary | null): [lift: string, users: string] {
  if (decision === null) return ["–", "–"];
  const { ruling } = decision;
  if ("test" in ruling && ruling.test !== null) return [signed(ruling.test.lift), String(ruling.test.users)];
  if (!("result" in ruling) || !Number.isFinite(ruling.result.lowerBound)) return ["–", "–"];
  return [signed(ruling.result.lift), "holdout"];
}
