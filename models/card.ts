import type { ImportOrigin, Manifest } from "./manifest.ts";

/** The model card in Markdown: what a reader needs to trust, or distrust, a version. */
export function modelCard(manifest: Manifest): string {
  const { offline, cost, data, training } = manifest;
  const { metrics } = offline;
  const figure = (value: number, digits = 4): string => value.toFixed(digits);
  const lines = [
    `# ${manifest.version}`,
    "",
    `Phase ${manifest.phase}, recipe \`${manifest.recipe}\`, seed ${manifest.seed}, ${manifest.items} items.`,
    "",
    "## Data",
    "",
    `${data.rows} events from ${data.from} through ${data.through}; SHA-256 \`${data.sha256}\`.`,
    "",
    "## Parameters",
    "",
    "```json",
    JSON.stringify(manifest.params, null, 2),
    "```",
    "",
    `${searchSentence(manifest)}`,
    "",
    "## Holdout",
    "",
    ...(manifest.imported === undefined ? [] : [importSentence(manifest.imported), ""]),
    `${offline.users} users, ${offline.requests} requests, lists of ${offline.k}; ${offline.dropped} requests dropped.`,
    "",
    "| metric | value |",
    "|---|---|",
    `| nDCG@${offline.k} | ${figure(offline.ndcg.mean)} (95 %: ${figure(offline.ndcg.low)} … ${figure(offline.ndcg.high)}) |`,
    ...Object.entries(metrics)
      .filter(([name]) => name !== "ndcg")
      .map(([name, value]) => `| ${name} | ${figure(value)} |`),
    "",
    "## Training",
    "",
    `${training.epochs} epochs on ${training.backend}; the loss was ${training.stillImproving ? "still falling" : "settled"} at the end.`,
    "",
    "## Cost",
    "",
    "| | |",
    "|---|---|",
    `| fit | ${figure(cost.fitSeconds, 1)} s, search ${figure(cost.searchSeconds, 1)} s |`,
    `| memory | ${figure(cost.peakMemoryMb, 0)} MB at the peak of training |`,
    `| artifact | ${figure(cost.artifactBytes / 1e6, 2)} MB |`,
    `| a recommendation | ${figure(cost.cpuMsPerRequest, 3)} ms CPU (${figure(cost.relativeCost, 1)} × a popularity list), p99 ${figure(cost.p99Ms, 2)} ms |`,
    "",
    `Made by Phasewise ${manifest.code.version} (${manifest.code.git}) at ${manifest.createdAt}.`,
    "",
  ];
  return lines.join("\n");
}

function searchSentence({ trials }: Manifest): string {
  if (trials.length === 0) return "No search: the recipe's defaults, or parameters given by hand.";
  const scores = trials.map((trial) => trial.score);
  return `Chosen after ${trials.length} trials on the validation window: best ${Math.max(...scores).toFixed(4)}, worst ${Math.min(...scores).toFixed(4)}.`;
}

function importSentence({ file, sha256, trainedThrough, judgedOffline }: ImportOrigin): string {
  const through =
    trainedThrough === null ? "through a time nobody has named" : `through ${trainedThrough}, as declared`;
  const judged = judgedOffline
    ? "before the holdout began, so the figures below judge it."
    : "so it may have learned from the holdout: the figures below judge nothing, only the shadow does.";
  return `Trained elsewhere (${file}, SHA-256 \`${sha256}\`) ${through}, ${judged}`;
}
