import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { isDrawn } from "../../../models/gate/panel-draw.ts";
import { type JobRig, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: true } as const;
const WANTED = 20;
const PERIOD_MS = 7 * 86_400_000;

describe("a panel that more users are in than wanted", () => {
  let rig: JobRig;
  let challenger: string;
  before(async () => {
    rig = await startJobRig({ shadow: { panelUsers: WANTED, minimumUsers: 20, timeoutMs: 10_000 } });
    const floor = await rig.register("popularity");
    challenger = await rig.register("popular-lately", { halfLifeDays: 1000 });
    await rig.context.registry.promote({
      version: floor,
      expectedLive: null,
      reason: "tests",
      actor: "tests",
    });
    await rig.evaluate(floor, (user) => 0.1 + user / 1000);
    await rig.evaluate(challenger, (user) => 0.1 + (user % 7) / 100);
    await screen(rig.context, challenger);
  });
  after(() => rig.stop());
  const users = () => rig.context.shadowLog.panel.users();
  const sampling = async () => {
    const [{ hearing }] = await rig.context.decisions.list({ challenger, limit: 1 });
    assert.ok(hearing.about === "shadow" && hearing.evidence.sampling !== null);
    const { sampled, joined, unanswered, early, pending, shed, failed } = hearing.evidence.sampling;
    assert.equal(sampled, joined + unanswered + early + pending + shed + failed);
    return hearing.evidence;
  };

  it("is narrowed by a hash of their ids, and what it lets go stays accounted for", async () => {
    await rig.ask(100);
    assert.equal((await users()).length, 100);
    await judge(rig.context, LOOK);
    const draw = await rig.context.draws.read();
    assert.equal(draw.share, WANTED / 100);
    const held = await users();
    assert.ok(held.length > 5 && held.length < 50, `${held.length} users`);
    assert.ok(held.every((user) => isDrawn(draw, user, rig.context.now(), PERIOD_MS)));
    const { sampling: counted } = await sampling();
    assert.deepEqual([counted?.sampled, counted?.pending], [100, held.length]);
  });

  it("does not ask again whoever is not in it", async () => {
    const before = (await users()).length;
    const names = await rig.ask(50);
    const draw = await rig.context.draws.read();
    const drawn = names.filter((user) => isDrawn(draw, user, rig.context.now(), PERIOD_MS));
    assert.equal((await users()).length, before + drawn.length);
    await judge(rig.context, LOOK);
    await sampling();
  });
});
