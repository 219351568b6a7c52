import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import { type JobContext, openContext } from "../../jobs/context.ts";
import { judge } from "../../jobs/judging/judge.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import { itemId } from "../../models/data/ids.ts";
import { recomputeDecision } from "../../models/gate/decision.ts";
import { recommenderOf } from "../../models/model.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import type { ModelView } from "../../services/serving/routes/models.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import { eventually } from "../support/eventually.ts";
import { askedIn } from "../support/held-pairs.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

const DAY_MS = 86_400_000;
/** Limits that a busy machine keeps, and no operator between a pass and its promotion. */
const POLICY = {
  promotion: { automatic: true },
  guardrails: {
    failureRate: 0.2,
    latencyBudgetMs: 10_000,
    latencyNegligibleMs: 10_000,
    coverageRatio: 0,
    noveltyRatio: 0,
    diversityRatio: 0,
    giniIncrease: 1,
  },
  shadow: { timeoutMs: 10_000 },
  schedule: { judgeEverySeconds: 3600 },
};
const LOOK = { kind: "judge", record: true } as const;

describe("F20: users whom somebody invents", () => {
  let service: Service;
  let context: JobContext;
  let url: string;
  let operator: ApiClient;
  let popular: string;
  let challenger: RetrainResult;
  let neighbours: string;
  /** Event time that has been reached. */
  let clock = 0;

  const train = async (recipe: string, phase: number): Promise<RetrainResult> => {
    const { jobId } = await operator.post<{ jobId: string }>("/retrain", { phase, recipe });
    return (await followJob(operator, jobId)).result as RetrainResult;
  };
  const recommenderOfVersion = async (version: string) =>
    recommenderOf((await context.artifacts.load(version)).model);
  const event = (user: string, item: string, timestamp: number) => ({
    eventId: `${user}-${item}-${timestamp}`,
    userId: user,
    itemId: item,
    type: "watch",
    timestamp,
  });
  const feedback = async (api: ApiClient, events: readonly object[]): Promise<void> => {
    for (let from = 0; from < events.length; from += 500) {
      await api.post("/feedback", { events: events.slice(from, from + 500) });
    }
  };
  /** Each has a short history, asks, and then chooses just what `wanted` lists and `other` does not. */
  const invent = async (api: ApiClient, count: number, name: string, wanted: string, other: string) => {
    const [liked, disliked] = [await recommenderOfVersion(wanted), await recommenderOfVersion(other)];
    const people = Array.from({ length: count }, (_, n) => ({ user: `${name}-${n}`, at: clock + n * 1000 }));
    const known = people.map(({ user, at }, n) =>
      [n % 40, (n * 7 + 1) % 40].map((film, step) => event(user, String(film + 1), at + step)),
    );
    await feedback(api, known.flat());
    for (const { user } of people) await api.get(`/recommend?userId=${user}&k=10`);
    const choices = people.flatMap(({ user, at }, n) => {
      const history = known[n].map((one) => ({
        itemId: itemId(one.itemId),
        timestamp: one.timestamp,
        weight: 1,
      }));
      const theirs = new Set(disliked.recommend({ history, k: 10 }).items.map((item) => item.itemId));
      const ours = liked.recommend({ history, k: 10 }).items.map((item) => item.itemId);
      return ours
        .filter((item) => !theirs.has(item))
        .map((item, step) => event(user, item, at + 60_000 + step));
    });
    await feedback(api, choices);
    clock += count * 1000 + 16 * DAY_MS;
    await feedback(operator, [event("clock", "1", clock)]);
  };
  const live = async (): Promise<string | undefined> => (await context.registry.live())?.version;
  const shadowed = async (): Promise<number> => {
    const all = [...(await context.shadowLog.openAttempts()), ...(await context.shadowLog.openWatches())];
    return Math.max(0, ...(await Promise.all(all.map(({ id }) => askedIn(context.shadowLog, id)))));
  };
  const lookAt = async (about: Judgement["about"]): Promise<Judgement> => {
    const judgements = await judge(context, LOOK);
    const found = judgements.find((judgement) => judgement.about === about);
    assert.ok(found !== undefined, `a look at the ${about}`);
    return found;
  };

  before(async () => {
    service = await startService(POLICY);
    const dataFolder = await writeSmallData(service.home);
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    context = await openContext({ ...service.config, logLevel: "silent" });
    ({ url } = await service.startApi());
    await service.startWorker();
    operator = apiClient(url, service.key);
    popular = (await train("popularity", 1)).version;
    await operator.post(`/models/${popular}/promote`, { expectedLive: null, reason: "the floor" });
    challenger = await train("item-knn", 2);
    neighbours = challenger.version;
    assert.equal(challenger.state, "SHADOWING", challenger.reason);
    clock = ((await context.loadTrainingData()).log.timestamps.at(-1) ?? 0) + DAY_MS;
  });
  after(async () => {
    await context.close();
    await service.stop();
  });

  it("by a caller without a key are answered, and nobody else ever hears of them", async () => {
    const stranger = apiClient(url, null);
    const before = await context.events.length();
    for (let n = 0; n < 60; n++) {
      await stranger.post("/recommend", { userId: `nobody-${n}`, history: ["1", "2"], k: 10 });
      await stranger.get(`/recommend?userId=nobody-${n}&k=10`);
      await feedback(stranger, [event(`nobody-${n}`, "3", clock)]);
    }
    assert.equal(await context.events.length(), before);
    assert.equal(await shadowed(), 0);
    assert.equal((await lookAt("shadow")).users, 0);
  });

  it("400 of them through a key promote nothing: the record, the look and the metric say that they are suspect", async () => {
    const { key } = await operator.post<{ key: string }>("/keys", {
      name: "leaked",
      scopes: ["serve", "ingest"],
    });
    await invent(apiClient(url, key), 400, "fan", neighbours, popular);
    // A request whose history was not read in time is answered and no evidence: most of them are asked again.
    await eventually(async () => (await shadowed()) >= 300, "most are asked again in the shadow");
    const look = await lookAt("shadow");
    assert.deepEqual([look.verdict, look.suspect], ["hold", true], look.sentence);
    assert.ok(look.users >= 300);
    assert.match(look.sentence, /^Held, the evidence is suspect: \d+ of \d+ users appeared within one hour/);
    assert.match(look.sentence, /more than the holdout lets anybody believe/);
    assert.equal(await live(), popular);
    assert.equal((await context.registry.version(neighbours))?.state, "SHADOWING");

    const [decision] = await context.decisions.list({ challenger: neighbours, limit: 1 });
    assert.deepEqual(decision.ruling.reasons[0], "EVIDENCE_SUSPECT");
    assert.ok(recomputeDecision(decision).sameVerdict && recomputeDecision(decision).sameE);
    const { phases } = await operator.get<Ladder>("/ladder");
    const row = phases.flatMap(({ versions }) => versions).find(({ version }) => version === neighbours);
    assert.equal(row?.lastLook?.sentence, look.sentence);
    const page = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${service.key}` } });
    assert.match(await page.text(), /^phasewise_suspect_comparisons 1$/m);
  });

  it("550 of them through a key prove nothing worse: no rollback", async () => {
    const order = { expectedLive: popular, reason: "tests", force: true };
    await operator.post(`/models/${neighbours}/promote`, order);
    assert.equal((await lookAt("watch")).users, 0);
    await invent(operator, 550, "critic", popular, neighbours);
    await eventually(async () => (await shadowed()) >= 450, "most are asked again in the shadow");
    const look = await lookAt("watch");
    assert.deepEqual([look.verdict, look.suspect], ["hold", true], look.sentence);
    assert.ok(look.users >= 300);
    assert.equal(await live(), neighbours);
    assert.equal((await context.registry.version(neighbours))?.state, "LIVE");
  });

  it("all of them in the stream change nothing of a recipe's holdout: they are set aside, and the card says so", async () => {
    // Arrays name a version: the same people were learned from, and judged by.
    const again = await train("item-knn", 2);
    assert.deepEqual([again.version, again.ndcg], [challenger.version, challenger.ndcg]);
    const { version } = await train("popular-lately", 1);
    const { manifest, card } = await operator.get<ModelView>(`/models/${version}`);
    assert.ok((manifest.data.setAside?.bursts.users ?? 0) >= 950);
    assert.match(card, /events of 95\d users who all appeared within one hour/);
  });
});
