import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isAssigned } from "../../../models/gate/assignment.ts";
import { startServer } from "../../../services/serving/server.ts";
import { eventually } from "../../support/eventually.ts";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "./rig.ts";

const USERS = Array.from({ length: 400 }, (_, user) => `user-${user}`);

describe("the canary, served", () => {
  let rig: Rig;
  let popular: string;
  let lately: string;

  const onCanary = (version: string, share: number) =>
    USERS.filter((user) => isAssigned(user, `canary/${version}`, share));
  /** Who answers, and the reply without what differs by request: its id, and whether Redis was in time. */
  const ask = async (user: string, url = rig.server.url) => {
    const response = await fetch(`${url}/recommend?userId=${user}&k=5`, { headers: BEARER });
    assert.equal(response.status, 200);
    const {
      requestId: _,
      history: __,
      ...reply
    } = (await response.json()) as {
      requestId: string;
      history: string;
      model: { version: string };
    };
    return { version: reply.model.version, bytes: JSON.stringify(reply) };
  };
  const askAll = (users: readonly string[], url?: string) =>
    Promise.all(users.map(async (user) => ({ user, ...(await ask(user, url)) })));
  const setShare = (version: string, share: number, force = true) =>
    rig
      .http()
      .post(`/models/${version}/canary`)
      .set(BEARER)
      .send({ expectedLive: popular, share, reason: "tests", force });
  const canaryHere = async () => (await rig.http().get("/readyz")).body.canary;

  before(async () => {
    rig = await startRig({ limits: { maxInFlight: 1000, targetMs: 60_000 } });
    popular = await rig.register("popularity");
    lately = await rig.register("popular-lately", { halfLifeDays: 30 });
    const first = { expectedLive: null, reason: "tests" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  it("answers its users and nobody else, whose replies keep their bytes, at every share", async () => {
    const before = new Map((await askAll(USERS)).map(({ user, bytes }) => [user, bytes]));
    let earlier: readonly string[] = [];
    for (const share of [0.05, 0.3]) {
      const { body } = await setShare(lately, share).expect(200);
      assert.deepEqual(body.live.canary, { version: lately, share, forced: true });
      assert.equal(body.live.version, popular);
      const expected = onCanary(lately, share);
      // Five standard deviations of a binomial count.
      const slack = 5 * Math.sqrt(USERS.length * share * (1 - share));
      assert.ok(Math.abs(expected.length - USERS.length * share) < slack, `${expected.length} at ${share}`);
      const replies = await askAll(USERS);
      const answered = replies.filter(({ version }) => version === lately).map(({ user }) => user);
      assert.deepEqual(answered, expected);
      assert.deepEqual(
        await askAll(answered.slice(0, 5)),
        replies.filter(({ user }) => answered.slice(0, 5).includes(user)),
      );
      assert.ok(
        earlier.every((user) => answered.includes(user)),
        "nobody who was on it is taken off",
      );
      for (const { user, version, bytes } of replies) {
        if (version === popular) assert.equal(bytes, before.get(user));
      }
      earlier = answered;
    }
    const anonymous = await rig.http().get("/recommend?k=5").expect(200);
    assert.equal(anonymous.body.model.version, popular);
  });

  it("is seen in the ladder, in readiness and in the metrics", async () => {
    const { body } = await rig.http().get("/ladder").expect(200);
    assert.deepEqual(body.live.canary, { version: lately, share: 0.3, forced: true });
    const versions = body.phases.flatMap((phase: { versions: unknown[] }) => phase.versions);
    const record = versions.find(({ version }: { version: string }) => version === lately);
    assert.deepEqual([record.state, record.reason], ["CANARY", "30 % of the users: tests"]);
    assert.deepEqual(await canaryHere(), { version: lately, share: 0.3, setAside: false });
    const { text } = await rig.http().get("/metrics").expect(200);
    assert.match(text, new RegExp(`phasewise_canary_share{version="${lately}"} 0.3`));
    assert.match(text, /phasewise_canary_requests_total{outcome="answered"} [1-9]/);
  });

  it("is the same users' in another replica, also in one that starts later", async () => {
    const folder = `${rig.folder}-2`;
    await cp(rig.folder, folder, { recursive: true });
    const second = await startServer({
      config: {
        redisUrl: rig.redis.url,
        port: 0,
        host: "127.0.0.1",
        stateFolder: folder,
        adminKey: ADMIN_KEY,
        logLevel: "silent",
      },
      limits: { maxInFlight: 1000, targetMs: 60_000 },
    });
    try {
      await eventually(() => second.live.lineup?.canary?.model.version === lately, "canary loaded");
      assert.deepEqual(await askAll(USERS, second.url), await askAll(USERS));
    } finally {
      await second.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("ends by a rollback that loads nothing and leaves the live version alone; a repeat by name changes nothing", async () => {
    const artifacts = join(rig.folder, "artifacts");
    await cp(artifacts, `${artifacts}-kept`, { recursive: true });
    await rm(artifacts, { recursive: true });
    const rollback = () =>
      rig.http().post("/rollback").set(BEARER).send({ expectedLive: lately, reason: "complaints" });
    const { body } = await rollback().expect(200);
    assert.deepEqual(
      [body.left, body.changed, body.live.version, body.live.canary],
      [lately, true, popular, null],
    );
    const { body: again } = await rollback().expect(200);
    assert.deepEqual([again.changed, again.live], [false, body.live]);
    for (const { version } of await askAll(USERS.slice(0, 50))) assert.equal(version, popular);
    assert.equal((await rig.registry.version(lately))?.state, "RETIRED");
    assert.equal(await canaryHere(), null);
    await cp(`${artifacts}-kept`, artifacts, { recursive: true });
  });

  it("that fails leaves each request to the live version, then ends by itself, and nobody is refused", async () => {
    const failing = await rig.register("popular-lately", { halfLifeDays: 60 });
    await setShare(failing, 0.5).expect(200);
    const canary = rig.server.live.lineup?.canary;
    assert.equal(canary?.model.version, failing);
    const failures = [
      () => {
        throw new Error("out of order");
      },
      () => ({ items: [{ itemId: "f1", score: Number.NaN }], source: "model" }),
    ];
    let asked = 0;
    const broken = { recommend: () => failures[asked++ % failures.length]() };
    Object.assign(canary.model.recommender, broken);
    for (const user of onCanary(failing, 0.5).slice(0, 20)) {
      assert.equal((await ask(user)).version, popular);
    }
    await eventually(async () => (await canaryHere()) === null, "canary ended");
    assert.equal(asked, 5, "set aside after five failures in a row");
    const live = await rig.registry.live();
    assert.deepEqual([live?.version, live?.canary], [popular, null]);
    const record = await rig.registry.version(failing);
    assert.deepEqual(
      [record?.state, record?.reason],
      ["QUARANTINED", "rolled back: failed 5 requests in a row on a replica"],
    );
    assert.equal(await rig.registry.verifyAudit(), null);
  });

  it("is refused without the gate's verdict, with a stale idea of what is live, or beside another", async () => {
    const next = await rig.register("popular-lately", { halfLifeDays: 90 });
    const other = await rig.register("popular-lately", { halfLifeDays: 120 });
    assert.equal((await setShare(next, 0.1, false).expect(409)).body.error.code, "NOT_PROMOTABLE");
    const stale = { expectedLive: next, share: 0.1, reason: "tests", force: true };
    await rig.http().post(`/models/${next}/canary`).set(BEARER).send(stale).expect(409);
    await rig.http().post(`/models/${next}/canary`).send(stale).expect(401);
    await setShare(next, 1).expect(400);
    await setShare(next, 0.1).expect(200);
    await setShare(other, 0.1).expect(409);
    const ended = await setShare(next, 0).expect(200);
    assert.deepEqual([ended.body.changed, ended.body.live.canary], [true, null]);
    assert.equal(await rig.registry.verifyAudit(), null);
  });
});
