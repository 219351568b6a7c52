import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { prepareData } from "../../../deploy/data/prepare-data.ts";
import { type JobContext, openContext } from "../../../jobs/context.ts";
import { enterClosedUsers } from "../../../jobs/judging/closed-users.ts";
import { shadowEvidence } from "../../../jobs/judging/evidence.ts";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { Lanes } from "../../../jobs/shadow/lanes.ts";
import { countsOf, isSameAnswer } from "../../../jobs/shadow/parts.ts";
import { shadow } from "../../../jobs/shadow/shadow.ts";
import { retrain } from "../../../jobs/training/retrain.ts";
import { compact } from "../../../jobs/upkeep/compact.ts";
import { type ItemId, userId } from "../../../models/data/ids.ts";
import { decide } from "../../../models/gate/decide.ts";
import { sampleOf } from "../../../models/gate/request-sample.ts";
import type { BatchSpan, ShadowRequest } from "../../../services/queues/types.ts";
import type { Attempt, LaneAnswer } from "../../../services/shadow/types.ts";
import { askedIn, heldPairs } from "../../support/held-pairs.ts";
import { type Service, startService } from "../../support/service.ts";
import { writeSmallData } from "../../support/small-data.ts";

const BUDGET = 3;
const DAY_MS = 86_400_000;
const ORDER = { seed: 1, requestedBy: "tests" };

describe("shadow and judge, run as the worker runs them", () => {
  let service: Service;
  let context: JobContext;
  let lanes: Lanes;
  let popular: string;
  let lately: string;
  let knn: string;
  let lengths: ReadonlyMap<string, number>;
  let attempt: Attempt;
  let users: readonly string[];

  const requestOf = (user: string, serial: number): ShadowRequest => ({
    requestId: `request-${user}-${serial}`,
    userId: user,
    historyThrough: lengths.get(user) ?? 0,
    k: 10,
    exclude: [],
    liveVersion: popular,
    served: [],
    at: 0,
  });
  let told = 0;
  const spans = new Map<string, BatchSpan>();
  /** As a replica numbers its batches: the same one again has the numbers it had. */
  const runShadow = (requests: readonly ShadowRequest[], batchId: string, shed = 0) => {
    const through = told + requests.length + shed;
    const span = spans.get(batchId) ?? { run: "tests", from: told, through };
    if (!spans.has(batchId)) told = through;
    spans.set(batchId, span);
    return shadow({ ...context, lanes, limits: context.policy.shadow }, { span, requests, shed }, batchId);
  };
  const attemptOf = async (version: string): Promise<Attempt> => {
    const open = await context.shadowLog.openAttempts();
    const found = open.find(({ challenger }) => challenger.version === version);
    assert.ok(found !== undefined, `${version} is in the shadow`);
    return found;
  };
  const promote = (version: string, expectedLive: string | null) =>
    context.registry.promote({ version, expectedLive, reason: "a test", actor: "tests", force: true });

  /** Something that none of these users has in the history. */
  const unseenItem = async (some: readonly string[]): Promise<ItemId> => {
    const { log } = await context.loadTrainingData();
    const histories = await context.events.histories(some.map(userId));
    const seen = new Set(
      [...histories.values()].flatMap(({ entries }) => entries.map((entry) => entry.itemId)),
    );
    const found = log.items.ids.find((item) => !seen.has(item));
    assert.ok(found !== undefined);
    return found;
  };

  before(async () => {
    service = await startService({
      screen: { minimumUsers: 10 },
      shadow: { minimumUsers: 20, requestsPerUser: BUDGET },
    });
    const dataFolder = await writeSmallData(service.home);
    const { log, cutAt } = await prepareData({ ...service.config, dataFolder }, { cut: 0.7, say: () => {} });
    users = [...new Set(log.userIndex.subarray(0, cutAt))].map((user) => log.users.idAt(user));
    context = await openContext({ ...service.config, logLevel: "silent" });
    lanes = new Lanes({
      source: context,
      timeoutMs: 5000,
      heapMb: 512,
      consecutiveFaults: 5,
    });
    popular = (await retrain(context, { ...ORDER, phase: 1, recipe: "popularity" })).version;
    await promote(popular, null);
    lately = (await retrain(context, { ...ORDER, phase: 1, recipe: "popular-lately" })).version;
    const trained = await retrain(context, { ...ORDER, phase: 2, recipe: "item-knn" });
    assert.equal(trained.state, "SHADOWING", trained.reason);
    knn = trained.version;
    attempt = await attemptOf(knn);
    const histories = await context.events.histories(users.map(userId));
    lengths = new Map([...histories].map(([user, { through }]) => [user, through]));
  });
  after(async () => {
    await lanes.close();
    await context.close();
    await service.stop();
  });

  it("a retrain that runs twice publishes one version, and opens one attempt", async () => {
    const before = await context.shadowLog.openAttempts();
    const again = await retrain(context, { ...ORDER, phase: 2, recipe: "item-knn" });
    assert.equal(again.version, knn);
    assert.equal((await context.registry.versions()).length, 3);
    assert.deepEqual(await context.shadowLog.openAttempts(), before);
  });

  it("prices a challenger by its CPU time beside the baseline's, both timed in the process that trained it", async () => {
    const { cost } = (await context.artifacts.manifest(knn)).manifest;
    assert.equal(cost.beside?.version, popular);
    assert.deepEqual(attempt.plan.cpuMsPerRequest, {
      challenger: cost.cpuMsPerRequest,
      baseline: cost.beside.cpuMsPerRequest,
    });
    const first = (await context.artifacts.manifest(popular)).manifest;
    assert.equal(first.cost.beside, undefined, "nothing was live then");
  });

  it("a batch that runs twice is recorded once, its shed requests too", async () => {
    const batch = users.slice(0, 5).map((user) => requestOf(user, 0));
    await runShadow(batch, "batch-1", 7);
    await runShadow(batch, "batch-1", 7);
    assert.equal(await askedIn(context.shadowLog, attempt.id), batch.length);
    const pairs = await heldPairs(context.shadowLog, attempt);
    assert.deepEqual(
      new Set(pairs.map(({ requestId }) => requestId)),
      new Set(batch.map(({ requestId }) => requestId)),
    );
    assert.equal(await context.shadowLog.shedCount(attempt.id), 7);
    await runShadow([], "batch-2", 2);
    assert.equal(await context.shadowLog.shedCount(attempt.id), 9);
  });

  it("holds of one user those requests that enter the sample, over batches and within one", async () => {
    const [user] = users;
    const serials = Array.from({ length: 12 }, (_, serial) => serial);
    for (const batch of [serials.slice(1, 5), serials.slice(5)]) {
      await runShadow(
        batch.map((serial) => requestOf(user, serial)),
        `batch-${batch[0]}`,
      );
    }
    const own = (await heldPairs(context.shadowLog, attempt)).filter((pair) => pair.userId === user);
    const asked = serials.map((serial) => ({ requestId: `request-${user}-${serial}` }));
    const sample = sampleOf(asked, BUDGET).map(({ requestId }) => requestId);
    assert.deepEqual(new Set(own.map(({ requestId }) => requestId)), new Set(sample));
    const { asked: recorded, replaced } = await context.shadowLog.counts(attempt.id);
    const others = (await heldPairs(context.shadowLog, attempt)).length - own.length;
    assert.equal(recorded, replaced + own.length + others, "the others gave way");
  });

  it("leaves anonymous requests out, since nobody's choices can be joined to them", async () => {
    const before = await askedIn(context.shadowLog, attempt.id);
    const result = await runShadow([{ ...requestOf("", 99), userId: null }], "batch-6");
    assert.equal(result.asked, 0);
    assert.equal(await askedIn(context.shadowLog, attempt.id), before);
  });

  it("lets a user in once, with counts that add up at every look", async () => {
    // Three users choose something new, and a month passes; the other windows stay open.
    const { log } = await context.loadTrainingData();
    const end = log.timestamps[log.timestamps.length - 1];
    const chosen = await unseenItem(users.slice(0, 4));
    const choose = (user: string, at: number) => ({
      eventId: `chosen-${user}-${at}`,
      userId: userId(user),
      itemId: chosen,
      type: "watch",
      timestamp: at,
    });
    const later = users.slice(0, 3).map((user) => choose(user, end + DAY_MS));
    await context.events.append([...later, choose(users[3], end + 30 * DAY_MS)], end);
    for (let look = 0; look < 2; look++) {
      const recorded = await enterClosedUsers(context, attempt);
      const evidence = await shadowEvidence(context, attempt, recorded);
      const entered = evidence.users.map(({ user }) => user);
      assert.deepEqual(entered.toSorted(), users.slice(0, 3).toSorted());
      const { sampling, sham } = evidence;
      assert.ok(sampling !== null && sham !== null);
      const { sampled, joined, unanswered, early, pending, shed, failed } = sampling;
      assert.equal(sampled, joined + unanswered + early + pending + shed + failed);
      assert.equal(shed, 9);
      assert.equal(sham.identical, sham.requests);
    }
  });

  it("calls the instrument broken for two lists that differ, not for one that did not come in time", () => {
    const list: LaneAnswer = { items: ["a", "b"], elapsedMs: 1, fault: null, broken: [], repeated: null };
    const late: LaneAnswer = { ...list, items: [], fault: "timeout" };
    const other: LaneAnswer = { ...list, items: ["b", "a"] };
    const outcomes = [list, late, other].map((sham) => isSameAnswer(list, sham));
    assert.deepEqual(outcomes, [true, null, false]);
    const counts = outcomes.map((same) => countsOf({ challenger: list, baseline: list }, 10, same).add);
    assert.deepEqual(
      counts.map(({ shams, shamsIdentical }) => [shams, shamsIdentical]),
      [
        [1, 1],
        [undefined, undefined],
        [1, undefined],
      ],
    );
  });

  it("misses a batch that never came, once others have overtaken it, and concludes nothing from the rest", async () => {
    const later = { ...context, now: () => Date.now() + 3_600_000 };
    const sampling = async () => {
      const evidence = await shadowEvidence(later, attempt, await enterClosedUsers(later, attempt));
      assert.ok(evidence.sampling !== null);
      const { reasons, verdict } = decide(evidence, context.policy);
      return { ...evidence.sampling, reasons, verdict };
    };
    const before = await sampling();
    assert.ok(!before.reasons.includes("SAMPLING_INTEGRITY"));
    told += 4;
    await runShadow([requestOf(users[20], 0)], "batch-8");
    const missing = await sampling();
    assert.equal(missing.sampled, before.sampled + 1 + 4);
    assert.ok(missing.reasons.includes("SAMPLING_INTEGRITY"));
    assert.equal(missing.verdict, "hold");
    told -= 5;
    await runShadow(
      [1, 2, 3, 4].map((serial) => requestOf(users[20 + serial], 0)),
      "batch-7",
    );
    told += 1;
    assert.ok(!(await sampling()).reasons.includes("SAMPLING_INTEGRITY"));
  });

  it("a look that holds writes a decision only when asked to", async () => {
    const count = async (): Promise<number> => (await context.decisions.list({ limit: 100 })).length;
    const before = await count();
    const judgements = await judge(context, { kind: "judge", record: false });
    assert.ok(judgements.some(({ challenger }) => challenger === knn));
    for (const { verdict, sentence } of judgements) assert.equal(verdict, "hold", sentence);
    assert.equal(await count(), before);
    await judge(context, { kind: "judge", record: true });
    assert.equal(await count(), before + judgements.length);
  });

  it("tells how alike the lists of the two are, in the judgement and in the record", async () => {
    const judgements = await judge(context, { kind: "judge", record: true });
    const { overlap, bothAnswered } = await context.shadowLog.counts(attempt.id);
    const expected = overlap / bothAnswered;
    assert.ok(expected > 0 && expected < 1, `${expected}`);
    const told = judgements.find(({ challenger }) => challenger === knn)?.overlap;
    assert.ok(told !== undefined && Math.abs(told - expected) < 1e-9);
    const [{ hearing }] = await context.decisions.list({ challenger: knn, limit: 1 });
    assert.ok(hearing.about === "shadow");
    const { agreement } = hearing.evidence;
    assert.ok(agreement?.overlap !== undefined && Math.abs(agreement.overlap - expected) < 1e-9);
    assert.ok(agreement.rankBiased !== undefined && agreement.rankBiased > 0 && agreement.rankBiased < 1);
  });

  it("asks from the history as of the request: what came later leaves no trace in a list", async () => {
    const [first, second] = users.slice(10, 12);
    const all = (await context.events.histories([userId(first)])).get(userId(first));
    assert.ok(all !== undefined && all.through > 0);
    const asOf = (user: string, serial: number, historyThrough: number): ShadowRequest => ({
      ...requestOf(user, serial),
      historyThrough,
    });
    await runShadow([asOf(first, 0, 0), asOf(first, 1, all.through), asOf(second, 0, 0)], "batch-5");
    const pairs = await heldPairs(context.shadowLog, attempt);
    const [blank, full, other] = [`${first}-0`, `${first}-1`, `${second}-0`].map((id) =>
      pairs.find(({ requestId }) => requestId === `request-${id}`),
    );
    // Without a history everybody gets the same list; with one, nothing that is in it.
    assert.ok(blank !== undefined && full !== undefined && other !== undefined);
    for (const lane of ["baseline", "challenger"] as const) {
      const fromNothing: readonly string[] = blank[lane] ?? [];
      const fromAll: readonly string[] = full[lane] ?? [];
      assert.equal(fromNothing.length, 10);
      assert.deepEqual(fromNothing, other[lane]);
      const seen = new Set<string>(all.entries.map((entry) => entry.itemId));
      assert.ok(fromAll.every((item) => !seen.has(item)));
      assert.ok(fromNothing.some((item) => !fromAll.includes(item)));
    }
  });

  it("another baseline closes the attempt, and its challenger goes on against the new one in the pair it has", async () => {
    const [pair] = (await context.shadowLog.openAttempts()).filter(
      ({ challenger, baseline }) => challenger.version === knn && baseline.version === lately,
    );
    assert.notEqual(pair.id, attempt.id);
    await promote(lately, popular);
    assert.equal((await context.registry.version(knn))?.state, "STALE");
    await judge(context, { kind: "judge", record: false });
    const open = await context.shadowLog.openAttempts();
    assert.deepEqual(open, [pair]);
    assert.equal((await context.registry.version(knn))?.state, "SHADOWING");
    // Screening once more changes nothing.
    await screen(context, knn);
    assert.deepEqual(await context.shadowLog.openAttempts(), open);
  });

  it("compaction moves events into the snapshot once, also when it is repeated after a crash before the trim", async () => {
    const rows = async (): Promise<number> => (await context.loadTrainingData()).provenance.rows;
    const before = await rows();
    const at = Date.UTC(2025, 11, 1);
    const { log } = await context.loadTrainingData();
    const fresh = [1, 2, 3].map((serial) => ({
      eventId: `fresh-${serial}`,
      userId: userId(users[serial]),
      itemId: log.items.idAt(serial),
      type: "watch",
      timestamp: at,
    }));
    await context.events.append(fresh, at);
    assert.equal(await rows(), before + 3);
    const crashing = {
      ...context,
      events: { ...context.events, trim: () => Promise.reject(new Error("killed")) },
    };
    await assert.rejects(compact(crashing), /killed/);
    assert.equal(await rows(), before + 3, "events that are in both places count once");
    const inStream = await context.events.length();
    assert.equal((await compact(context)).events, inStream);
    assert.equal(await rows(), before + 3);
    assert.deepEqual(await compact(context), { events: 0, snapshotSha256: null });
  });
});
