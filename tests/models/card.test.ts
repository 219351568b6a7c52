import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { modelCard } from "../../models/card.ts";
import { cardMarkdown } from "../../models/card-markdown.ts";
import { learningCurve } from "../../models/evaluation/learning-curve.ts";
import type { Findings } from "../../models/findings.ts";
import { manifestOf } from "../support/manifest.ts";

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
  omitted: ["Longer training: expected to take about 9 s of training, 1 s were left of 10."],
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

  it("reads as Markdown: diagnosis, levers, curve, figures, cost", () => {
    const markdown = cardMarkdown(modelCard(manifest, findings));
    for (const said of [
      "# item-knn-0123456789ab\n",
      "Against `popularity-0123456789ab` on the holdout the lift is −0.0020 [−0.0060, +0.0010].",
      "It looks like **no signal here for this model**:",
      "- The lift is −0.002.",
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
