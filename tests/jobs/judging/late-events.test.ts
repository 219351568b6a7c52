import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { userId } from "../../../models/data/ids.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { CUT, DAY_MS, ITEM_IDS, type JobRig, startJobRig } from "../rig.ts";

describe("events that arrive with an old time while a challenger is in the shadow", () => {
  let rig: JobRig;

  beforeEach(async () => {
    rig = await startJobRig();
    const floor = await rig.register("popularity");
    const request = { version: floor, expectedLive: null, reason: "tests", actor: "tests", force: true };
    await rig.context.registry.promote(request);
    await rig.evaluate(floor, (user) => 0.1 + user / 1000);
    // What happened before the opening: the clock of the windows stands past the training cut.
    await rig.traffic(1);
  });
  afterEach(() => rig.stop());

  const challenge = async (trainedThrough?: number): Promise<string> => {
    const version = await rig.register("popular-lately", {}, undefined, trainedThrough);
    await rig.evaluate(version, (user) => 0.12 + (user % 7) / 100);
    assert.equal((await screen(rig.context, version)).state, "SHADOWING");
    return version;
  };
  /** One recorded look; the evidence it rested on. */
  const look = async (challenger: string) => {
    await judge(rig.context, { kind: "judge", record: true });
    const [decision] = await rig.context.decisions.list({ challenger, limit: 1 });
    assert.ok(decision.hearing.about === "shadow");
    return { decision, evidence: decision.hearing.evidence };
  };
  const accounted = ({ sampling }: ShadowEvidence): void => {
    assert.ok(sampling !== null);
    const { sampled, joined, unanswered, early, pending, shed, failed } = sampling;
    assert.equal(sampled, joined + unanswered + early + pending + shed + failed);
  };

  it("cost the requests that they answer, never the challenger, and are counted apart", async () => {
    const challenger = await challenge();
    const [attempt] = await rig.context.shadowLog.openAttempts();
    assert.ok(attempt.openedAt > CUT);
    await rig.traffic(20);
    await rig.traffic(3, { answeredAt: CUT - 50 * DAY_MS });
    await rig.traffic(20);
    const { decision, evidence } = await look(challenger);
    assert.equal(evidence.users.length, 40);
    assert.equal(evidence.sampling?.early, 3);
    accounted(evidence);
    assert.ok((evidence.window?.judgedFrom ?? 0) >= attempt.openedAt);
    assert.ok(!decision.ruling.reasons.includes("TRAINED_PAST_CUT"), decision.sentence);
    assert.equal((await rig.context.registry.version(challenger))?.state, "SHADOWING");
  });

  it("are judged by their own clock, whatever live events come between", async () => {
    const now = Date.now();
    const live = { eventId: "live", userId: userId("visitor"), itemId: ITEM_IDS[0], type: "watch" };
    await rig.context.events.append([live], now);
    const challenger = await challenge();
    await rig.traffic(20);
    await rig.context.events.append([{ ...live, eventId: "live-2" }], now);
    await rig.traffic(20);
    const { evidence } = await look(challenger);
    assert.equal(evidence.users.length, 40);
    assert.equal(evidence.sampling?.early, 0);
    accounted(evidence);
  });

  it("do not hide that a challenger was trained past the opening", async () => {
    const challenger = await challenge(CUT + 365 * DAY_MS);
    await rig.traffic(2, { answeredAt: CUT - 50 * DAY_MS });
    await rig.traffic(5);
    const { decision } = await look(challenger);
    assert.deepEqual([decision.ruling.verdict, decision.ruling.reasons], ["reject", ["TRAINED_PAST_CUT"]]);
    assert.equal((await rig.context.registry.version(challenger))?.state, "REJECTED");
  });
});
