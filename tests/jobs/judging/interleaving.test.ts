import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Worker } from "bullmq";
import type supertest from "supertest";
import { type JobContext, openContext } from "../../../jobs/context.ts";
import { judge } from "../../../jobs/judging/judge.ts";
import { Lanes } from "../../../jobs/shadow/lanes.ts";
import { shadow } from "../../../jobs/shadow/shadow.ts";
import { isAssigned } from "../../../models/gate/assignment.ts";
import { policySha256 } from "../../../models/gate/policy.ts";
import { loadConfig } from "../../../services/config.ts";
import { openingTime } from "../../../services/interactions/event-clocks.ts";
import { QUEUES, type ShadowPayload } from "../../../services/queues/types.ts";
import type { Attempt } from "../../../services/shadow/types.ts";
import { BEARER, type Rig, startRig } from "../../services/serving/rig.ts";
import { fitSmall, manifestOf } from "../../services/serving/small-world.ts";
import { eventually } from "../../support/eventually.ts";
import { askedIn } from "../../support/held-pairs.ts";

const DAY_MS = 86_400_000;
/** Users who all appear within one hour through one key would be suspect. */
const APART_MS = 600_000;
/** Half the users take part; limits that a dozen films or a busy machine would trip over are out of the way. */
const POLICY = {
  formatVersion: 1,
  shadow: { attributionDays: 1, panelDays: 1, minimumUsers: 10, timeoutMs: 10_000, relevantEvents: 2 },
  interleaving: { share: 0.5, minimumUsers: 30 },
  guardrails: {
    failureRate: 0.05,
    latencyBudgetMs: 10_000,
    latencyNegligibleMs: 10_000,
    coverageRatio: 0,
    noveltyRatio: 0,
    diversityRatio: 0,
    giniIncrease: 1,
  },
  promotion: { automatic: true },
};

interface Listed {
  readonly requestId: string;
  readonly items: readonly { readonly itemId: string; readonly score: number }[];
  readonly interleavedWith?: string;
}
type Choose = (items: readonly string[]) => string;

const filmNumber = (film: string): number => Number(film.slice(1));
const first: Choose = (items) => items[0];
/** A user who wants what popular-lately puts first and plain popularity last. */
const newest: Choose = (items) => items.toSorted((a, b) => filmNumber(b) - filmNumber(a))[0];

describe("interleaving a challenger whose shadow only saw feedback on our own lists", () => {
  let rig: Rig;
  let http: supertest.Agent;
  let context: JobContext;
  let lanes: Lanes;
  let worker: Worker<ShadowPayload>;
  let popular: string;
  let serial: number;
  let request: number;
  let start: number;

  beforeEach(async () => {
    serial = 0;
    // Event times lie in the past, and windows close by them alone.
    start = Date.now() - 100 * DAY_MS;
    request = 0;
    rig = await startRig({ newRequestId: () => `request-${request++}` });
    http = rig.http();
    const policyFile = join(rig.folder, "policy.json");
    await writeFile(policyFile, JSON.stringify(POLICY));
    const settings = { REDIS_URL: rig.redis.url, PHASEWISE_HOME: rig.folder, PHASEWISE_POLICY: policyFile };
    const opened = await openContext(loadConfig({ ...settings, PHASEWISE_LOG_LEVEL: "silent" }));
    context = { ...opened, itemInformation: async () => () => 1 };
    lanes = new Lanes({
      source: context,
      timeoutMs: context.policy.shadow.timeoutMs,
      heapMb: 512,
      consecutiveFaults: 5,
    });
    worker = new Worker<ShadowPayload>(
      QUEUES.shadow,
      (job) => shadow({ ...context, lanes, limits: context.policy.shadow }, job.data, job.id ?? ""),
      { connection: { url: rig.redis.url, maxRetriesPerRequest: null } },
    );
    worker.on("error", () => {});
    popular = await register("popularity");
    const promotion = { version: popular, expectedLive: null, reason: "floor", actor: "tests" };
    await context.registry.promote(promotion);
    await eventually(() => rig.server.live.lineup !== null, "the floor is served");
  });
  afterEach(async () => {
    await worker.close(true);
    await lanes.close();
    await context.close();
    await rig.stop();
  });

  /** A version trained long before the users of this test came. */
  const register = async (recipe: string, params = {}): Promise<string> => {
    const model = await fitSmall(recipe, params);
    const stored = await context.artifacts.write(model, (file) => {
      const manifest = manifestOf(model, file);
      return { ...manifest, data: { ...manifest.data, through: new Date(start - DAY_MS).toISOString() } };
    });
    await context.registry.register(stored.manifest, stored.manifestSha256, "tests");
    return stored.manifest.version;
  };

  const openAttempt = async (version: string): Promise<Attempt> => {
    const { registry, shadowLog, policy } = context;
    await registry.transition(version, ["REGISTERED"], "SCREENED", "tests", "tests");
    await registry.transition(version, ["SCREENED"], "SHADOWING", "tests", "tests");
    const attempt: Attempt = {
      id: `${version}~${popular}~1`,
      kind: "UPGRADE",
      challenger: { version, phase: 1, recipe: "popular-lately" },
      baseline: { version: popular, phase: 1, recipe: "popularity" },
      plan: { baselineMean: 0.3, variance: 0.1, cpuMsPerRequest: { challenger: 0.1, baseline: 0.1 } },
      attempt: 1,
      policySha256: policySha256(policy),
      openedAt: openingTime(await context.events.clocks()),
      startedAt: context.isoNow(),
    };
    await shadowLog.open(attempt);
    return attempt;
  };

  const tell = async (userId: string, itemId: string, timestamp: number, requestId?: string) => {
    const event = { eventId: `event-${serial++}`, userId, itemId, type: "watch", timestamp, requestId };
    // A busy machine may time a write out; the event id makes the retry safe.
    const send = () =>
      http
        .post("/feedback")
        .set(BEARER)
        .send({ events: [event] });
    await eventually(async () => (await send()).status === 202, "feedback is taken");
  };
  /** Asks, chooses from the list and says so. */
  const visit = async (userId: string, choose: Choose, timestamp: number): Promise<Listed> => {
    const body: Listed = (await http.get("/recommend").set(BEARER).query({ userId, k: 4 }).expect(200)).body;
    await tell(userId, choose(body.items.map(({ itemId }) => itemId)), timestamp, body.requestId);
    return body;
  };
  const closeWindows = (timestamp: number) => tell("a clock", "f1", timestamp);
  /** Once the shadow has worked off what there is: windows close by the clocks of then. */
  const look = async () => {
    await eventually(async () => (await context.backlog.oldest()) === null, "the shadow has caught up");
    return (await judge(context, { kind: "judge", record: true }))[0];
  };

  /** Enough requests for every guardrail; all feedback answers our lists, so that only Stage C can decide. */
  const gatherShadow = async (attempt: Attempt): Promise<void> => {
    let users = 0;
    const visitThrice = async (): Promise<void> => {
      const at = start + users * APART_MS;
      const user = `early-${users++}`;
      for (let round = 0; round < 3; round++) await visit(user, first, at + round * 60_000);
    };
    while (users < 100) await visitThrice();
    await eventually(async () => {
      await visitThrice();
      return (await askedIn(context.shadowLog, attempt.id)) > 310;
    }, "shadow pairs");
    await closeWindows(start + 5 * DAY_MS);
  };
  /** Of so many users some take part: until one of them sees a mixed list, the version is not loaded. */
  const mixedIn = (version: string): Promise<void> =>
    eventually(async () => {
      for (let user = 0; user < 20; user++) {
        const { body } = await http
          .get("/recommend")
          .set(BEARER)
          .query({ userId: `onlooker-${user}`, k: 4 });
        if (body.interleavedWith === version) return true;
      }
      return false;
    }, `${version} is mixed in`);
  /** Users come until so many of them have seen a mixed list; returns those lists. */
  const voters = async (
    attempt: Attempt,
    wanted: number,
    choose: Choose,
    apartMs = APART_MS,
  ): Promise<Listed[]> => {
    // The coins follow from the request ids: the same in every run, however long the waiting before took.
    request = 1_000_000;
    const mixed: Listed[] = [];
    for (let user = 0; mixed.length < wanted; user++) {
      const name = `voter-${user}`;
      const list = await visit(name, choose, start + 10 * DAY_MS + user * apartMs);
      if (list.interleavedWith === undefined) continue;
      assert.equal(list.interleavedWith, attempt.challenger.version);
      assert.ok(isAssigned(name, `interleaving/${attempt.id}`, POLICY.interleaving.share), name);
      mixed.push(list);
    }
    await closeWindows(start + 15 * DAY_MS);
    return mixed;
  };

  it("lets a better one win by its credits, promotes it, and ends", async () => {
    const lately = await register("popular-lately", { halfLifeDays: 30 });
    const attempt = await openAttempt(lately);
    await gatherShadow(attempt);
    const before = await look();
    assert.equal(before.verdict, "hold");
    assert.match(before.sentence, /only interleaving can decide/);
    const open = await context.interleaving.open();
    assert.deepEqual([open?.challenger, open?.baseline, open?.share], [lately, popular, 0.5]);

    await mixedIn(lately);
    for (const { items } of await voters(attempt, 60, newest)) {
      const numbers = items.map(({ itemId }) => filmNumber(itemId));
      assert.equal(numbers.filter((number) => number > 6).length, 2, "the teams take turns");
      assert.deepEqual(
        items.map(({ score }) => score),
        [1, 1 / 2, 1 / 3, 1 / 4],
      );
    }

    const after = await look();
    assert.equal(after.verdict, "pass", after.sentence);
    assert.match(after.sentence, /share of choices won in interleaved lists is \+/);
    assert.equal((await context.registry.live())?.version, lately);
    assert.equal(await context.interleaving.open(), null);
    const [decision] = await context.decisions.list({ challenger: lately, limit: 1 });
    assert.ok(decision.sentence.startsWith("Passed"), decision.sentence);
  });

  it("believes no votes of people who all appeared within one hour through one key: it holds, and asks an operator", async () => {
    const lately = await register("popular-lately", { halfLifeDays: 30 });
    const attempt = await openAttempt(lately);
    await gatherShadow(attempt);
    await look();
    await mixedIn(lately);
    await voters(attempt, 60, newest, 1000);
    const after = await look();
    assert.deepEqual([after.verdict, after.suspect], ["hold", true], after.sentence);
    assert.match(
      after.sentence,
      /^Held, the evidence is suspect: .*\b60 of 60 users appeared within one hour through the key admin /,
    );
    assert.equal((await context.registry.live())?.version, popular);
  });

  it("finds no lead of one that gives the same lists", async () => {
    const same = await register("popular-lately", { halfLifeDays: 36_500 });
    const attempt = await openAttempt(same);
    await gatherShadow(attempt);
    await look();
    assert.equal((await context.interleaving.open())?.challenger, same);
    await mixedIn(same);
    for (const { items } of await voters(attempt, 60, first)) {
      assert.deepEqual(
        items.map(({ itemId }) => itemId),
        ["f1", "f2", "f3", "f4"],
        "two identical lists make the same list",
      );
    }
    const after = await look();
    assert.equal(after.verdict, "hold", after.sentence);
    assert.ok(after.users >= 60, `${after.users} votes`);
    assert.match(after.sentence, /interleaved lead/);
    assert.equal((await context.registry.live())?.version, popular);
  });

  it("rejects one that fails while users wait, though its shadow was faultless", async () => {
    const failing = await register("popular-lately", { halfLifeDays: 30 });
    const attempt = await openAttempt(failing);
    await gatherShadow(attempt);
    await look();
    assert.equal((await context.interleaving.open())?.challenger, failing);
    await context.interleaving.report(attempt.id, "a replica", { asked: 100, failures: 90, timeouts: 10 });
    const after = await look();
    assert.equal(after.verdict, "reject", after.sentence);
    const [decision] = await context.decisions.list({ challenger: failing, limit: 1 });
    assert.deepEqual(decision.ruling.reasons, ["FAILURE_RATE"]);
    assert.equal((await context.registry.version(failing))?.state, "REJECTED");
    assert.equal(await context.interleaving.open(), null);
  });
});
