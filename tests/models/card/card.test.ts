import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { modelCard } from "../../../models/card/card.ts";
import { cardMarkdown } from "../../../models/card/card-markdown.ts";
import type { Findings } from "../../../models/card/findings.ts";
import type { Standing } from "../../../models/card/standing.ts";
import { learningCurve } from "../../../models/evaluation/learning-curve.ts";
import { manifestOf } from "../../support/manifest.ts";

const lift = { mean: -0.002, low: -0.006, high: 0.001 };
const evidence: Findings["evidence"] = {
  lift,
  trainNdcg: 0.2,
  holdoutNdcg: 0.09,
  popularityNdcg: 0.08,
  overPopularity: { mean: 0.01, low: 0, high: 0.02 },
  shuffledControl: null,
  seenItemLists: 0,
  losses: [],
  twiceTheEpochs: null,
  learningCurve: null,
};
const findings: Findings = {
  version: "item-knn-0123456789ab",
  baseline: "popularity-0123456789ab",
  dataSha256: "d".repeat(64),
  lift,
  agreement: {
    overlap: { mean: 0.312, low: 0.29, high: 0.33 },
    rankBiased: { mean: 0.25, low: 0.24, high: 0.26 },
    users: 75,
  },
  diagnosis: { diagnosis: "no-signal", evidence: ["the lift is −0.002"] },
  evidence,
  learningCurve: learningCurve(
    [
      { share: 0.5, events: 50, parts: [[0.1, 0.1]] },
      { share: 1, events: 100, parts: [[0.2, 0.2]] },
    ],
    1,
  ),
  levers: {
    levers: [
      {
        name: "recency",
        summary: "newest first",
        used: true,
        off: { recency: 0 },
        on: { recency: 7 },
        alone: { mean: 0.01, low: 0.005, high: 0.015 },
        lastIn: { mean: 0.002, low: -0.001, high: 0.005 },
      },
    ],
    together: { mean: 0.01, low: 0.005, high: 0.015 },
    off: { mean: 0.08, low: 0.07, high: 0.09 },
    on: { mean: 0.09, low: 0.08, high: 0.1 },
  },
  omitted: ["Longer training: expected to take about 9 s, 1 s were left of 10."],
  seconds: 3,
  measuredAt: "2024-01-01T00:00:00.000Z",
};
const manifest = manifestOf(findings.version);

describe("the model card", () => {
  it("holds facts and findings side by side, and survives JSON", () => {
    const card = modelCard(manifest, findings);
    assert.deepEqual(JSON.parse(JSON.stringify(card)), card);
    assert.equal(card.data, manifest.data);
    assert.equal(card.holdout, manifest.offline);
    assert.equal(card.diagnosis?.diagnosis, "no-signal");
    assert.equal(card.levers?.together.mean, 0.01);
  });

  it("leads with the version's state and why, then with its last verdict where that says more", () => {
    const lines = (standing: Standing): string[] =>
      cardMarkdown(modelCard(manifest, findings, standing))
        .split("\n\n")
        .slice(0, 4);
    const verdict = {
      id: "d-1",
      about: "shadow",
      at: "2026-01-02T03:04:05.000Z",
      baseline: "popularity-0123456789ab",
      sentence: "Rejected: coverage against the baseline's is 0.42.",
    };
    assert.deepEqual(lines({ state: "REJECTED", reason: verdict.sentence, verdict }).slice(0, 2), [
      "# item-knn-0123456789ab",
      "**REJECTED**: Rejected: coverage against the baseline's is 0.42. This is the last verdict, by the shadow beside `popularity-0123456789ab` on 2026-01-02 (`d-1`).",
    ]);
    const failed = "failed 5 requests in a row on a replica";
    const passed = { ...verdict, sentence: "Passed: after 60 users." };
    assert.deepEqual(lines({ state: "QUARANTINED", reason: failed, verdict: passed }).slice(1, 3), [
      `**QUARANTINED**: ${failed}.`,
      "The last verdict, by the shadow beside `popularity-0123456789ab` on 2026-01-02 (`d-1`): Passed: after 60 users.",
    ]);
    assert.match(
      lines({ state: "REGISTERED", reason: "registered", verdict: null })[1],
      /^\*\*REGISTERED\*\*: registered\. Nothing was decided about it yet\.$/,
    );
  });

  it("reads as Markdown: diagnosis, levers, curve, figures, cost", () => {
    const markdown = cardMarkdown(modelCard(manifest, findings));
    for (const said of [
      "# item-knn-0123456789ab\n",
      "Against `popularity-0123456789ab` on the holdout the lift is −0.0020 [−0.0060, +0.0010].",
      "It looks like **no signal here for this model**:",
      "- The lift is −0.002.",
      "their lists for 75 users share 31.2 % of the items (29.0 % to 33.0 %); rank-biased overlap 0.2500 [0.2400, 0.2600].",
      "| fitted on shuffled labels, over popularity | not measured |",
      "- Longer training: expected to take about 9 s",
      "| recency: newest first | recency 0 → recency 7 | yes | +0.0100 [+0.0050, +0.0150] | +0.0020 [−0.0010, +0.0050] |",
      "More data would help: ",
      "| 50 % | 50 | 0.1000 [0.1000, 0.1000] |",
      `SHA-256 \`${manifest.data.sha256}\``,
    ]) {
      assert.ok(markdown.includes(said), `${said}\nis missing in\n${markdown}`);
    }
  });

  it("gives every metric with its interval, overall and by cohort", () => {
    const estimate = { mean: 0.5, low: 0.4, high: 0.6 };
    const names = Object.keys(manifest.offline.metrics).filter(
      (name) => !["coverage", "gini"].includes(name),
    );
    const metrics = Object.fromEntries(names.map((name) => [name, estimate])) as never;
    const intervals = { all: { users: 9, metrics }, cohorts: { cold: { users: 4, metrics } } };
    const offline = { ...manifest.offline, users: 9, intervals };
    const markdown = cardMarkdown(modelCard({ ...manifest, offline }, null));
    assert.match(markdown, /\| metric \| all \(9\) \| cold \(4\) \|\n/);
    assert.match(markdown, /\| nDCG@10 \| 0\.5000 \[0\.4000, 0\.6000\] \| 0\.5000 \[0\.4000, 0\.6000\] \|/);
    assert.match(markdown, /\| coverage \| 0\.0000 \| – \|/);
    assert.match(markdown, /Cold: fewer than 5 interactions at a user's first request; heavy: 50 or more\./);
  });

  it("says whom it was measured on where there were too many to ask all", () => {
    const offline = { ...manifest.offline, users: 5000, sampledFrom: 27_431 };
    const markdown = cardMarkdown(modelCard({ ...manifest, offline }, null));
    assert.match(markdown, /5000 users \(a sample of 27431\), /);
  });

  it("does not offer to analyse what was trained elsewhere", () => {
    const imported = {
      file: "f.safetensors",
      sha256: "a".repeat(64),
      trainedThrough: null,
      judgedOffline: false,
    };
    const markdown = cardMarkdown(modelCard({ ...manifest, imported }, null));
    assert.match(markdown, /Trained elsewhere: an analysis fits a model anew/);
    assert.doesNotMatch(markdown, /--analyse/);
  });

  it("shows every trial of a search, what was taken, and why", () => {
    const trial = { seed: 1, seconds: 1.25 };
    const trials = [
      { ...trial, params: { recency: 7, weighting: "bm25" }, score: 0.08, budget: 1 / 3 },
      { ...trial, params: { recency: 2.34567, weighting: "bm25" }, score: 0.09, budget: 1 / 3 },
      { ...trial, params: { recency: 40, weighting: "bm25" }, score: 0, budget: 1 / 3, failure: "a | b\nc" },
      { ...trial, params: { recency: 7, weighting: "bm25" }, score: 0.081, budget: 1 },
      { ...trial, params: { recency: 2.34567, weighting: "bm25" }, score: 0.0815, budget: 1 },
    ];
    const choice = {
      took: "start",
      lead: { mean: 0.0005, standardError: 0.001, users: 9 },
      why: "It may be luck.",
    } as const;
    const searched = { ...manifest, params: { recency: 7, weighting: "bm25" }, trials, choice };
    const card = modelCard(searched, null);
    assert.deepEqual([card.trials, card.choice], [trials, choice]);
    const markdown = cardMarkdown(card);
    for (const said of [
      "Chosen after 5 trials on the validation window, 1 of which failed. It may be luck. A trial with a share",
      "| trial | recency | budget | nDCG@10 | seconds |  |",
      "| 1 | 7 | 33 % | 0.0800 | 1.3 | start |",
      "| 3 | 40 | 33 % | – | 1.3 | failed: a b c |",
      "| 4 | 7 | 100 % | 0.0810 | 1.3 | **taken** |",
      "| 5 | 2.35 | 100 % | 0.0815 | 1.3 | best |",
    ]) {
      assert.ok(markdown.includes(said), `${said}\nis missing in\n${markdown}`);
    }
  });

  it("says what trained it, what it started from, and what its compression cost", () => {
    const training = { epochs: 6, losses: [2, 1], stillImproving: false, backend: "tfjs-wasm" };
    const compression = {
      k: 10,
      users: 75,
      overlap: { mean: 0.99, low: 0.98, high: 1 },
      ndcg: { mean: -0.0001, low: -0.0003, high: 0.0002 },
      bytesShare: 0.27,
    };
    const facts = { ...manifest, training: { ...training, warmStart: "sasrec-0123456789ab" }, compression };
    const markdown = cardMarkdown(modelCard(facts, null));
    for (const said of [
      "Epochs: 6, on tfjs-wasm, started from `sasrec-0123456789ab`; the loss was settled at the end.",
      "Compressed: its arrays take 27 % of their exact bytes.",
      "overlap@10 0.9900 [0.9800, 1.0000], nDCG@10 −0.0001 [−0.0003, +0.0002], over 75 users.",
    ]) {
      assert.ok(markdown.includes(said), `${said}\nis missing in\n${markdown}`);
    }
    assert.match(
      cardMarkdown(modelCard({ ...manifest, training }, null)),
      /Epochs: 6, on tfjs-wasm; the loss was/,
    );
  });

  it("says how to have it measured when nobody has", () => {
    const card = modelCard(manifest, null);
    assert.deepEqual(
      [card.diagnosis, card.levers, card.learningCurve, card.analysis],
      [null, null, null, null],
    );
    assert.match(cardMarkdown(card), /phasewise card item-knn-0123456789ab --analyse/);
  });
});
