import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { protocolOf, splitByTime } from "../../../jobs/data/training-data.ts";
import { retrain } from "../../../jobs/training/retrain.ts";
import { logOf } from "../../support/interaction-logs.ts";
import { type JobRig, startJobRig } from "../rig.ts";

const FRACTIONS = { holdoutShare: 0.2, validationShare: 0.25, minimumUsers: 30 };

/** So many items that everybody always finds something new. */
function logOfUsers(users: number, events: number) {
  const choices = Array.from({ length: events }, (_, event) => ({
    user: `u${event % users}`,
    item: `i${(event * 7919) % 977}`,
    at: event,
  }));
  return { log: logOf(choices), catalogue: new Map() };
}

describe("a split by time", () => {
  it("keeps the last events to be judged by, and of the rest the last to tune on", () => {
    const { tuning, holdout, all } = splitByTime(logOfUsers(50, 10_000), FRACTIONS);
    assert.deepEqual(
      [tuning.past, holdout.past].map(({ timestamps }) => timestamps.length),
      [6000, 8000],
    );
    assert.deepEqual([tuning.judgedFrom, holdout.judgedFrom], [6000, 8000]);
    assert.deepEqual([tuning.train.through, holdout.train.through, all.through], [5999, 7999, 9999]);
    const latest = Math.max(
      ...tuning.requests.requests.map(({ history }) => history[history.length - 1].timestamp),
    );
    assert.ok(latest < 8000, "tuning must not look at the holdout");
  });

  it("is made once, when it is asked for", () => {
    const splits = splitByTime(logOfUsers(50, 10_000), FRACTIONS);
    assert.equal(splits.holdout, splits.holdout);
    assert.equal(splits.all, splits.all);
  });

  it("asks a sample of the users of a large log, the same for everybody", () => {
    const data = logOfUsers(6000, 60_000);
    const { holdout, tuning } = splitByTime(data, FRACTIONS);
    assert.deepEqual([holdout.requests.users, holdout.requests.sampledFrom], [5000, 6000]);
    assert.deepEqual([tuning.requests.users, tuning.requests.sampledFrom], [2000, 6000]);
    assert.deepEqual(splitByTime(data, FRACTIONS).holdout.requests, holdout.requests);
  });

  it("belongs to what an evaluation is remembered by", () => {
    assert.notEqual(protocolOf(FRACTIONS), protocolOf({ ...FRACTIONS, holdoutShare: 0.3 }));
  });
});

describe("two versions with different seeds", () => {
  let rig: JobRig;
  before(async () => {
    rig = await startJobRig();
  });
  after(() => rig.stop());

  it("are judged on the very same requests: a twin of the live one differs for nobody", async () => {
    const order = { phase: 1, recipe: "popularity", requestedBy: "tests" } as const;
    const { version } = await retrain(rig.context, { ...order, seed: 1 });
    const terms = { reason: "tests", actor: "tests", force: true };
    await rig.context.registry.promote({ ...terms, version, expectedLive: null });
    const twin = await retrain(rig.context, { ...order, seed: 2 });
    const card = await readFile(join(rig.folder, "artifacts", twin.version, "card.md"), "utf8");
    assert.match(card, new RegExp(`^# ${twin.version}\\n`));
    const [decision] = await rig.context.decisions.list({ challenger: twin.version, limit: 1 });
    assert.ok(decision.hearing.about === "screen" && decision.hearing.evidence.users.length > 30);
    assert.ok(decision.hearing.evidence.users.every(({ difference }) => difference === 0));
  });
});
