import type { CompressionLoss } from "../artifact/compression-loss.ts";
import type { ImportOrigin } from "../artifact/manifest.ts";
import type { Excluded, SetAside } from "../data/set-aside.ts";
import { COHORTS, DEFAULT_COHORTS } from "../evaluation/cohorts.ts";
import type { UserMetric } from "../evaluation/metrics.ts";
import type { EvaluationSummary, MetricIntervals } from "../evaluation/report.ts";
import { DIAGNOSIS_WORDS } from "../gate/diagnosis.ts";
import type { ModelCard } from "./card.ts";
import { searchSection } from "./card-search.ts";
import { figure, interval, list, percent, sentence, settings, signedInterval, table } from "./markdown.ts";
import { standingLines } from "./standing.ts";

/** The model card in Markdown, for people; every figure in it is in the JSON. */
export function cardMarkdown(card: ModelCard): string {
  const { version, phase, recipe, seed, items, data } = card;
  return [
    `# ${version}`,
    ...(card.standing === null ? [] : standingLines(card.standing)),
    `Phase ${phase}, recipe \`${recipe}\`, seed ${seed}, ${items} items.`,
    "## Does it pay?",
    ...diagnosisSection(card),
    "## Data",
    `${data.rows} events from ${data.from} through ${data.through}; SHA-256 \`${data.sha256}\`.`,
    ...setAsideSentence(data.setAside),
    "## Parameters",
    `\`\`\`json\n${JSON.stringify(card.params, null, 2)}\n\`\`\``,
    "## Search",
    ...searchSection(card),
    "## Levers",
    ...leverSection(card),
    "## Would more data help?",
    ...curveSection(card),
    "## Holdout",
    ...(card.imported === null ? [] : [importSentence(card.imported)]),
    ...holdoutSection(card.holdout),
    ...(card.compression === null ? [] : [compressionSentence(card.compression)]),
    "## Training",
    trainingSentence(card),
    "## Cost",
    costTable(card),
    `Made by Phasewise ${card.code.version} (${card.code.git}) at ${card.createdAt}.`,
  ]
    .join("\n\n")
    .concat("\n");
}

function setAsideSentence(setAside: SetAside | undefined): string[] {
  if (setAside === undefined) return [];
  const { floods, bursts, overflow } = setAside;
  const counted = ({ users, events }: Excluded, why: string): string[] =>
    users === 0 ? [] : [`${events} events of ${users === 1 ? "1 user" : `${users} users`} ${why}`];
  const parts = [
    ...counted(floods, "with too large a share of all events (`training.largestUserShare`)"),
    ...counted(bursts, "who all appeared within one hour (`evidence.largestSourceShare`)"),
    ...counted(overflow, "beyond the latest that are learned from (`training.userEvents`)"),
  ];
  return [`Set aside, neither learned from nor judged by: ${parts.join("; ")}.`];
}

function diagnosisSection({ version, imported, diagnosis, analysis }: ModelCard): string[] {
  if (imported !== null) {
    return [
      "Trained elsewhere: an analysis fits a model anew, which cannot be done here; the shadow judges it.",
    ];
  }
  if (diagnosis === null || analysis === null) {
    return [`Not analysed; \`phasewise card ${version} --analyse\` measures what follows from it.`];
  }
  const against = `Against \`${diagnosis.baseline}\` on the holdout the lift is ${signedInterval(diagnosis.lift)}.`;
  const verdict =
    diagnosis.diagnosis === null
      ? `${against} ${sentence(diagnosis.evidence[0])}`
      : `${against} It looks like **${DIAGNOSIS_WORDS[diagnosis.diagnosis]}**:`;
  const reasons = diagnosis.diagnosis === null ? [] : [list(diagnosis.evidence)];
  const omitted =
    analysis.omitted.length === 0 ? [] : ["Not measured, for want of time:", list(analysis.omitted)];
  return [verdict, ...reasons, ...agreementSentence(diagnosis), evidenceTable(analysis.evidence), ...omitted];
}

function agreementSentence({ agreement }: NonNullable<ModelCard["diagnosis"]>): string[] {
  if (agreement === undefined) return [];
  const { overlap, rankBiased, users } = agreement;
  return [
    `As both are served, their lists for ${users} users share ${percent(overlap.mean)} of the items (${percent(overlap.low)} to ${percent(overlap.high)}); rank-biased overlap ${interval(rankBiased)}.`,
  ];
}

function evidenceTable(evidence: NonNullable<ModelCard["analysis"]>["evidence"]): string {
  const { trainNdcg, holdoutNdcg, popularityNdcg, shuffledControl, seenItemLists, twiceTheEpochs } = evidence;
  return table(
    ["evidence", "value"],
    [
      ["nDCG on moments it was trained on", trainNdcg === null ? "not measured" : figure(trainNdcg)],
      ["nDCG on the holdout", figure(holdoutNdcg)],
      ["popularity on the holdout", figure(popularityNdcg)],
      [
        "fitted on shuffled labels, over popularity",
        shuffledControl === null ? "not measured" : signedInterval(shuffledControl.overPopularity),
      ],
      ["lists with an item already seen", String(seenItemLists)],
      ["gain of twice the epochs", twiceTheEpochs === null ? "–" : signedInterval(twiceTheEpochs)],
    ],
  );
}

function leverSection({ levers }: ModelCard): string[] {
  if (levers === null) return ["Not measured."];
  const rows = levers.levers.map(({ name, summary, used, off, on, alone, lastIn }) => [
    `${name}: ${summary}`,
    `${settings(off)} → ${settings(on)}`,
    used ? "yes" : "no",
    signedInterval(alone),
    signedInterval(lastIn),
  ]);
  return [
    "nDCG gained on the holdout, the same users with and without, 95 % intervals. Alone: over every lever off. Last in: what the others together lack.",
    table(
      ["lever", "off → on", "in use", "alone", "last in"],
      [...rows, ["**together**", "", "", signedInterval(levers.together), ""]],
    ),
    `Every lever off: ${interval(levers.off)}; every lever on: ${interval(levers.on)}.`,
  ];
}

function curveSection({ learningCurve }: ModelCard): string[] {
  if (learningCurve === null) return ["Not measured."];
  const { points, answer, lastDoubling, nextDoubling } = learningCurve;
  const rows = points.map(({ share, events, ndcg }) => [
    `${Math.round(100 * share)} %`,
    String(Math.round(events)),
    interval(ndcg),
  ]);
  return [
    answer,
    table(["share of the users", "events", "nDCG on the holdout"], rows),
    `The last doubling brought ${signedInterval(lastDoubling)}; one more, by the log-linear fit, ${signedInterval(nextDoubling)}.`,
  ];
}

function holdoutSection({
  users,
  requests,
  sampledFrom,
  dropped,
  k,
  ndcg,
  metrics,
  intervals,
}: EvaluationSummary): string[] {
  const whom = sampledFrom === undefined ? "" : ` (a sample of ${sampledFrom})`;
  const asked = `${users} users${whom}, ${requests} requests, lists of ${k}; ${dropped} requests dropped.`;
  const present = COHORTS.filter((cohort) => intervals?.cohorts[cohort] !== undefined);
  const columns: (MetricIntervals | undefined)[] = [
    intervals?.all,
    ...present.map((cohort) => intervals?.cohorts[cohort]),
  ];
  const rows = Object.entries(metrics).map(([name, value]) => [
    name === "ndcg" ? `nDCG@${k}` : name,
    ...columns.map((column, place) => {
      const estimate = column?.metrics[name as UserMetric];
      if (estimate !== undefined) return interval(estimate);
      if (place > 0) return "–";
      return name === "ndcg" ? interval(ndcg) : figure(value);
    }),
  ]);
  const heads = present.map((cohort) => `${cohort} (${intervals?.cohorts[cohort]?.users})`);
  const { coldBelow, heavyFrom } = DEFAULT_COHORTS;
  const cohorts =
    present.length === 0
      ? ""
      : ` Cold: fewer than ${coldBelow} interactions at a user's first request; heavy: ${heavyFrom} or more.`;
  return [
    `${asked} 95 % bootstrap intervals over users.${cohorts}`,
    table(["metric", `all (${users})`, ...heads], rows),
  ];
}

function compressionSentence({ k, users, overlap, ndcg, bytesShare }: CompressionLoss): string {
  return `Compressed: its arrays take ${Math.round(100 * bytesShare)} % of their exact bytes. Against the same fit kept exactly, on these requests: overlap@${k} ${interval(overlap)}, nDCG@${k} ${signedInterval(ndcg)}, over ${users} users.`;
}

function trainingSentence({ training }: ModelCard): string {
  const loss = training.losses.length === 0 ? "no loss to follow" : "the loss was ";
  const end =
    training.losses.length === 0
      ? ""
      : training.stillImproving
        ? "still falling at the end"
        : "settled at the end";
  const start = training.warmStart === undefined ? "" : `, started from \`${training.warmStart}\``;
  return `Epochs: ${training.epochs}, on ${training.backend}${start}; ${loss}${end}.`;
}

function costTable({ cost }: ModelCard): string {
  return table(
    ["cost", ""],
    [
      ["fit", `${cost.fitSeconds.toFixed(1)} s, search ${cost.searchSeconds.toFixed(1)} s`],
      ["memory", `${cost.peakMemoryMb.toFixed(0)} MB at the peak of training`],
      ["artifact", `${(cost.artifactBytes / 1e6).toFixed(2)} MB`],
      [
        "a recommendation",
        `${cost.cpuMsPerRequest.toFixed(3)} ms CPU (${cost.relativeCost.toFixed(1)} × a popularity list), p99 ${cost.p99Ms.toFixed(2)} ms`,
      ],
    ],
  );
}

function importSentence({ file, sha256, trainedThrough, judgedOffline }: ImportOrigin): string {
  const through =
    trainedThrough === null ? "through a time nobody has named" : `through ${trainedThrough}, as declared`;
  const judged = judgedOffline
    ? "before the holdout began, so the figures below judge it."
    : "so it may have learned from the holdout: the figures below judge nothing, only the shadow does.";
  return `Trained elsewhere (${file}, SHA-256 \`${sha256}\`) ${through}, ${judged}`;
}
