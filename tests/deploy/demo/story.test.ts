import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApiClient } from "../../../deploy/client/api-client.ts";
import { tellStory } from "../../../deploy/demo/story.ts";
import { STORY_HEAD, storyLine } from "../../../deploy/demo/story-line.ts";
import type { DecisionSummary } from "../../../services/registry/decision-summary.ts";
import type { AuditEntry } from "../../../services/registry/types.ts";

const KNN = "item-knn-0123456789ab";
const ALS = "als-0123456789ab";
const FLOOR = "popularity-0123456789ab";

const screened = (challenger: string, verdict: string, lift: number): DecisionSummary =>
  ({
    id: `d-screen-${challenger}`,
    about: "screen",
    challenger,
    baseline: FLOOR,
    sentence: "On the holdout.",
    ruling: { verdict, admitted: verdict !== "reject", reasons: [], result: { lift, users: 75 } },
  }) as unknown as DecisionSummary;

const shadowed = (
  id: string,
  challenger: string,
  verdict: string,
  test: object,
  reason = "LIFT_PROVEN",
): DecisionSummary =>
  ({
    id,
    about: "shadow",
    challenger,
    baseline: FLOOR,
    sentence: "After so many users.",
    ruling: { verdict, reasons: [reason], test: { lift: 0.024, users: 72, moreUsers: 0, ...test } },
  }) as unknown as DecisionSummary;

const moved = (sequence: number, version: string, from: string | null, decisionId: string | null) =>
  ({ sequence, action: "promote", version, from, decisionId, reason: "why" }) as AuditEntry;

/** A service of which only what the story asks is there. */
function world() {
  const decisions: DecisionSummary[] = [];
  const history: AuditEntry[] = [];
  const phases = [FLOOR, KNN, ALS].map((version, index) => ({ phase: index + 1, versions: [{ version }] }));
  const answers = (path: string): unknown =>
    path === "/ladder"
      ? { phases }
      : path === "/live"
        ? { history }
        : { decisions: [...decisions].reverse() };
  const api = { get: async (path: string) => answers(path) } as unknown as ApiClient;
  return { api, decisions, history };
}

describe("the story of a run", () => {
  const day = Date.UTC(2010, 4, 6);

  it("is told a line a step within 80 characters, each with its phase, version, verdict and users", async () => {
    const { api, decisions, history } = world();
    const told: string[] = [];
    const options = { say: (text: string) => told.push(text), now: () => day, isSchedule: false };
    const story = await tellStory(api, { ...options, details: false });
    history.push(moved(1, FLOOR, null, null));
    await story.catchUp();
    decisions.push(screened(KNN, "hold", 0.0029), screened(ALS, "reject", -0.02));
    await story.catchUp();
    decisions.push(shadowed("d-1", KNN, "pass", {}));
    history.push(moved(2, KNN, FLOOR, "d-1"));
    await story.catchUp();
    await story.stop();
    assert.deepEqual(told, [
      "2010-05-06  1 popularity-0123456789ab      LIVE: the floor",
      "            2 item-knn-0123456789ab        to the shadow, offline +0.0029     75",
      "            3 als-0123456789ab             REJECTED, offline −0.0200          75",
      "            2 item-knn-0123456789ab        LIVE, +0.0240 over popularity      72",
    ]);
    assert.ok([STORY_HEAD, ...told].every(({ length }) => length <= 80));
  });

  it("tells a pass that is not promoted once it has had its time, and what is open at the end", async () => {
    const { api, decisions } = world();
    const told: string[] = [];
    const options = { say: (text: string) => told.push(text), now: () => day, isSchedule: false };
    const story = await tellStory(api, { ...options, details: true });
    decisions.push(shadowed("d-1", ALS, "pass", {}));
    await story.catchUp();
    assert.deepEqual(told, [], "its promotion may follow in the next moment");
    decisions.push(shadowed("d-2", KNN, "hold", { moreUsers: 90 }, "LIFT_UNPROVEN"));
    await story.stop();
    assert.match(told.join("\n"), /item-knn-\w+ +open at \+0\.0240: about 90 more +72\n +users\n/);
    assert.match(told.join("\n"), /als-\w+ +passed with \+0\.0240; waits +72\n {4}After so many users\.$/);
  });

  it("leaves out what an earlier start has told, and the screening of scheduled retrains", async () => {
    const { api, decisions, history } = world();
    history.push(moved(1, FLOOR, null, null));
    const told: string[] = [];
    const options = { say: (text: string) => told.push(text), now: () => day, isSchedule: true };
    const story = await tellStory(api, { ...options, details: false });
    decisions.push(screened(KNN, "hold", 0.0029));
    await story.catchUp();
    assert.equal(told.length, 1);
    decisions.push(screened("item-knn-ba9876543210", "hold", 0));
    await story.stop();
    assert.equal(told.length, 1);
  });

  it("wraps a long verdict under itself", () => {
    const step = { when: "", phase: 4, version: ALS, users: 12 };
    const shown = storyLine({ ...step, verdict: "REJECTED: lift below margin, and diversity unproven" });
    assert.deepEqual(shown.split("\n"), [
      "            4 als-0123456789ab             REJECTED: lift below margin,       12",
      "                                           and diversity unproven",
    ]);
  });
});
