import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { LATENCY_BUCKETS, latencyBucket } from "../../../models/gate/fleet.ts";
import { parsePolicy } from "../../../models/gate/policy.ts";
import { type RunningServer, startServer } from "../../../services/serving/server.ts";
import { eventually } from "../../support/eventually.ts";
import { type JobRig, reversed, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;
const ADMIN_KEY = "a-key-for-tests-only";

describe("a version that fails in service, below what opens a breaker", () => {
  let rig: JobRig;
  let server: RunningServer;
  const versions: string[] = [];

  const promote = async (version: string): Promise<void> => {
    const live = await rig.context.registry.live();
    const expectedLive = live?.version ?? null;
    await rig.context.registry.promote({
      version,
      expectedLive,
      reason: "tests",
      actor: "tests",
      force: true,
    });
    await eventually(() => server.live.lineup?.live.version === version, `${version} served`);
  };
  const frozenMetric = async (): Promise<string | undefined> =>
    /^phasewise_promotions_frozen (\d)$/m.exec((await server.app.inject("/metrics")).body)?.[1];

  before(async () => {
    rig = await startJobRig();
    versions.push(await rig.register("popularity"));
    for (const seed of [2, 3, 4]) {
      versions.push(await rig.register("popularity", {}, (model) => ({ ...reversed(model), seed })));
    }
    server = await startServer({
      config: {
        redisUrl: rig.redis.url,
        port: 0,
        host: "127.0.0.1",
        stateFolder: rig.folder,
        adminKey: ADMIN_KEY,
        logLevel: "silent",
      },
      policy: parsePolicy({ rollback: { failureRate: 0.5 } }),
      // A machine busy with other tests is no concern of this one.
    });
    await promote(versions[0]);
  });
  after(async () => {
    await server.close();
    await rig.stop();
  });

  it("is left by itself, the record saying how many of how many", async (t) => {
    const [floor, failing] = versions;
    await promote(failing);
    const recommender = server.live.lineup?.live.recommender;
    assert.ok(recommender !== undefined);
    const works = recommender.recommend.bind(recommender);
    let asked = 0;
    recommender.recommend = (query) => {
      if (++asked % 10 === 0) throw new Error("planted");
      return works(query);
    };
    for (let request = 0; request < 300; request++) {
      assert.equal((await server.app.inject("/recommend?k=5")).statusCode, 200);
    }
    await eventually(async () => {
      await judge(rig.context, LOOK);
      return (await rig.context.registry.live())?.version === floor;
    }, "rolled back");
    const entry = (await rig.context.registry.audit()).findLast(({ action }) => action === "auto-rollback");
    t.diagnostic(entry?.reason ?? "");
    assert.match(
      entry?.reason ?? "",
      /^Failing in service: of \d+ requests on 1 replica it left \d+ unanswered, at least [\d.]+ % where 1 % is the limit\.$/,
    );
    const [decision] = await rig.context.decisions.list({ challenger: failing, limit: 1 });
    assert.deepEqual([decision.hearing.about, decision.id], ["fleet", entry?.decisionId]);
    assert.equal((await rig.context.registry.version(failing))?.state, "QUARANTINED");
    await eventually(async () => (await frozenMetric()) === "0", "the metric says 0");
  });

  it("leads to the floor and a freeze when it is the second within a day, and to an alert", async () => {
    const [floor, , second, slow] = versions;
    await promote(second);
    await promote(slow);
    const live = await rig.context.registry.live();
    const latency = new Array<number>(LATENCY_BUCKETS).fill(0);
    latency[latencyBucket(900)] = 300;
    const report = { version: slow, epoch: live?.epoch ?? 0, requests: 300, errors: 0, latency };
    await rig.context.fleet.report("elsewhere-1", report);
    await rig.context.fleet.report("elsewhere-2", report);
    const [judgement] = await judge(rig.context, LOOK);
    assert.match(judgement.sentence, /600 requests on \d replicas its p99 is at least \d+ ms where 250 ms/);
    assert.equal((await rig.context.registry.live())?.version, floor);
    assert.equal((await rig.context.registry.version(second))?.state, "RETIRED");
    assert.notEqual(await rig.context.registry.freeze(), null);
    await eventually(async () => (await frozenMetric()) === "1", "the metric says 1");
  });

  it("lets nothing be promoted until an operator lifts the freeze", async () => {
    const [floor] = versions;
    const fresh = await rig.register("popularity", {}, (model) => ({ ...model, seed: 5 }));
    const promotion = { version: fresh, expectedLive: floor, reason: "tests", actor: "tests", force: true };
    await assert.rejects(rig.context.registry.promote(promotion), { code: "NOT_PROMOTABLE" });
    const unfreeze = (headers: Record<string, string>) =>
      server.app.inject({ method: "POST", url: "/unfreeze", headers, payload: { reason: "mended" } });
    assert.equal((await unfreeze({})).statusCode, 401);
    const authorized = { authorization: `Bearer ${ADMIN_KEY}` };
    assert.deepEqual((await unfreeze(authorized)).json(), { changed: true });
    assert.deepEqual((await unfreeze(authorized)).json(), { changed: false });
    await eventually(async () => (await frozenMetric()) === "0", "the metric says 0");
    await rig.context.registry.promote(promotion);
    assert.equal(await rig.context.registry.verifyAudit(), null);
  });

  it("is not judged by what was said of another version or epoch", async () => {
    const live = await rig.context.registry.live();
    const failed = { requests: 1000, errors: 1000, latency: new Array<number>(LATENCY_BUCKETS).fill(0) };
    await rig.context.fleet.report("late", { version: versions[1], epoch: live?.epoch ?? 0, ...failed });
    await rig.context.fleet.report("later", { version: live?.version ?? "", epoch: 1, ...failed });
    const about = (await judge(rig.context, LOOK)).map((judgement) => judgement.about);
    assert.ok(!about.includes("fleet"));
    assert.equal((await rig.context.registry.live())?.epoch, live?.epoch);
  });
});
