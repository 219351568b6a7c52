import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { type LaneQuery, Lanes } from "../../../jobs/shadow/lanes.ts";
import { RemoteLane } from "../../../jobs/shadow/remote-lane.ts";
import { registerRemote } from "../../../jobs/training/register-remote.ts";
import { refusalOf } from "../../../services/remote/remote-ranker.ts";
import { type Manner, type RankerServer, startRanker } from "../../support/ranker-server.ts";
import { CUT, ITEM_IDS, type JobRig, startJobRig, TOLERANT_GUARDRAILS } from "../rig.ts";

const TIMEOUT_MS = 3000;
const query = (history = 1): LaneQuery => ({
  history: ITEM_IDS.slice(0, history).map((itemId) => ({ itemId, timestamp: CUT, weight: 1 })),
  exclude: [],
  seen: null,
  k: 5,
  repeat: false,
});

describe("a ranker behind a URL", () => {
  let rig: JobRig;
  let ranker: RankerServer;
  let lanes: Lanes;
  let version: string;
  let floor: string;

  before(async () => {
    ranker = await startRanker(ITEM_IDS.map(String));
    rig = await startJobRig({
      remote: { allowedOrigins: [ranker.origin] },
      guardrails: TOLERANT_GUARDRAILS,
      shadow: { minimumUsers: 20 },
      promotion: { automatic: true },
    });
    floor = await rig.register("popularity");
    const { registry } = rig.context;
    await registry.promote({ version: floor, expectedLive: null, reason: "tests", actor: "tests" });
    lanes = new Lanes({
      source: rig.context,
      timeoutMs: TIMEOUT_MS,
      heapMb: 512,
      consecutiveFaults: 100,
      allowedOrigins: [ranker.origin],
    });
  });
  after(async () => {
    await lanes.close();
    await rig.stop();
    await ranker.close();
  });
  beforeEach(() => {
    ranker.manner = "well";
  });

  it("is registered once it has answered, goes into the shadow, and the holdout judges nothing", async () => {
    const registered = await registerRemote(rig.context, { name: "acme", url: ranker.url });
    ({ version } = registered);
    assert.match(version, /^remote-acme-[0-9a-f]{12}$/);
    assert.equal(registered.tried.length, 10);
    assert.equal(registered.record.state, "SHADOWING", registered.record.reason);
    assert.match(registered.record.reason, /only the shadow decides/);
  });

  it("is refused from an origin that the policy does not name, and where it does not answer as agreed", async () => {
    const elsewhere = registerRemote(rig.context, { name: "evil", url: "http://169.254.169.254/latest" });
    await assert.rejects(elsewhere, /remote\.allowedOrigins .*got http:\/\/169\.254\.169\.254/);
    assert.match(refusalOf("file:///etc/passwd", []) ?? "", /expected http/);
    assert.match(refusalOf(`${ranker.origin}.evil.example/`, [ranker.origin]) ?? "", /expected/);
    ranker.manner = "garbage";
    const garbage = registerRemote(rig.context, { name: "odd", url: ranker.url });
    await assert.rejects(garbage, /expected JSON .*got "<html>"/);
    await assert.rejects(registerRemote(rig.context, { name: "No Name", url: ranker.url }), /small letters/);
  });

  it("answers in the order of the queries, from the history as of the request", async () => {
    const answers = await lanes.ask("x", version, [query(1), query(3), { ...query(), repeat: true }]);
    assert.deepEqual(
      answers.map(({ items }) => items[0]),
      [ITEM_IDS[1], ITEM_IDS[3], ITEM_IDS[1]],
    );
    assert.deepEqual(
      answers.map(({ fault, broken, repeated }) => [fault, broken, repeated]),
      [
        [null, [], null],
        [null, [], null],
        [null, [], true],
      ],
    );
  });

  const faults: readonly [Manner, string | null, RegExp | readonly string[]][] = [
    ["fail", "error", /status 200, got 500/],
    ["garbage", "error", /expected JSON/],
    ["numbers", "error", /ids as text/],
    ["redirect", "error", /fetch failed|redirect/],
    ["endless", "error", /at most 1000000 bytes/],
    ["hang", "timeout", /no answer within 3000 ms/],
    ["unknown", null, ["unknown-item"]],
    ["seen", null, ["seen-item"]],
  ];
  for (const [manner, fault, said] of faults) {
    it(`has failed a request, and nothing else, when it does this: ${manner}`, async () => {
      ranker.manner = manner;
      const [answer] = await lanes.ask("x", version, [query()]);
      assert.equal(answer.fault, fault, answer.message);
      if (said instanceof RegExp) assert.match(answer.message ?? "", said);
      else assert.deepEqual(answer.broken, said);
    });
  }

  it("is left alone for a while after failures in a row, and tried again", async () => {
    let now = 0;
    const { model } = await rig.context.artifacts.load(version);
    const lane = new RemoteLane({
      model,
      catalogue: new Map(),
      timeoutMs: TIMEOUT_MS,
      consecutiveFaults: 2,
      allowedOrigins: [ranker.origin],
      now: () => now,
      pauseMs: 1000,
    });
    ranker.manner = "fail";
    for (let time = 0; time < 2; time++) await lane.ask([query()]);
    const before = ranker.asked;
    const [unasked] = await lane.ask([query()]);
    assert.deepEqual([unasked.fault, ranker.asked], ["error", before]);
    assert.match(unasked.message ?? "", /not asked/);
    ranker.manner = "well";
    now = 1001;
    assert.equal((await lane.ask([query()]))[0].fault, null);
    now = 1002;
    assert.equal((await lane.ask([query()]))[0].fault, null);
  });

  it("is not asked any more once its origin has left the policy", async () => {
    const { model } = await rig.context.artifacts.load(version);
    const before = ranker.asked;
    const lane = new RemoteLane({
      model,
      catalogue: new Map(),
      timeoutMs: TIMEOUT_MS,
      consecutiveFaults: 5,
      allowedOrigins: [],
      now: Date.now,
    });
    const [answer] = await lane.ask([query()]);
    assert.match(answer.message ?? "", /remote\.allowedOrigins/);
    assert.equal(ranker.asked, before);
  });

  it("is judged like any other, and never promoted: not by the gate, nor by an operator's force", async () => {
    const { registry } = rig.context;
    await judge(rig.context, { kind: "judge", record: true });
    const [decision] = await rig.context.decisions.list({ challenger: version, limit: 1 });
    assert.equal(decision.hearing.about, "shadow");
    const order = { version, expectedLive: floor, reason: "it is said to be good", actor: "tests" };
    await assert.rejects(registry.promote({ ...order, force: true }), /never served here/);
    await assert.rejects(registry.canary({ ...order, share: 0.1, force: true }), /never served here/);
    assert.equal((await registry.live())?.version, floor);
  });
});
