import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { userId } from "../../../models/data/ids.ts";
import { isAssigned } from "../../../models/gate/assignment.ts";
import { samplePlace } from "../../../models/gate/request-sample.ts";
import { recommenderOf } from "../../../models/model.ts";
import type { Query, Recommendation } from "../../../models/recommender.ts";
import { redisInterleavingLog } from "../../../services/interleaving/redis-interleaving-log.ts";
import type { InterleavingLog, OpenInterleaving } from "../../../services/interleaving/types.ts";
import { Interleaving, type InterleavingOutcome } from "../../../services/serving/interleaving.ts";
import type { ServedModel } from "../../../services/serving/served-model.ts";
import { eventually } from "../../support/eventually.ts";
import { redisSuite } from "../../support/redis-suite.ts";
import { fitSmall } from "./small-world.ts";

const QUERY: Query = { history: [], k: 4 };

async function served(version: string, recipe: string, params = {}): Promise<ServedModel> {
  const model = await fitSmall(recipe, params);
  return { version, phase: 1, recipe, recommender: recommenderOf(model), items: model.items };
}

describe("interleaving in the serving process", () => {
  const suite = redisSuite("deliberate");
  let log: InterleavingLog;
  let live: ServedModel;
  let challenger: ServedModel;
  let interleaving: Interleaving;
  let outcomes: InterleavingOutcome[];
  let loads: string[];
  let loading: (version: string) => Promise<ServedModel>;
  let nowMs: number;
  let attempts = 0;
  let open: OpenInterleaving;
  before(async () => {
    await eventually(() => suite.redis.status === "ready");
    log = redisInterleavingLog(suite.redis);
  });
  beforeEach(async () => {
    live = await served("live", "popularity");
    challenger = await served("challenger", "popular-lately", { halfLifeDays: 30 });
    outcomes = [];
    loads = [];
    nowMs = 0;
    loading = async () => challenger;
    interleaving = new Interleaving({
      log,
      load: (version) => {
        loads.push(version);
        return loading(version);
      },
      elapsed: () => nowMs,
      events: { onOutcome: (outcome) => outcomes.push(outcome) },
    });
    open = {
      attemptId: `attempt-${attempts++}`,
      challenger: "challenger",
      baseline: "live",
      share: 1,
      budgetMs: 50,
      consecutiveFailures: 5,
      listsPerUser: 20,
    };
    await log.setOpen(open, 60_000);
    await interleaving.look();
  });
  afterEach(() => interleaving.close());

  const mix = (user: string, requestId = "request", model = live) =>
    interleaving.mix({
      source: "key-1",
      requestId,
      userId: userId(user),
      historyThrough: 0,
      query: QUERY,
      live: { model, recommendation: live.recommender.recommend(QUERY), canary: false },
    });
  const filmsOf = (answer: { recommendation: Recommendation } | null): string[] | undefined =>
    answer?.recommendation.items.map(({ itemId }) => itemId);
  const breakWith = (recommend: () => Recommendation): void => {
    challenger.recommender.recommend = recommend;
  };

  it("drafts the two lists by a coin that the request id seeds, and says with whom", async () => {
    const answer = await mix("anna", "request-1");
    assert.equal(answer?.interleavedWith, "challenger");
    assert.deepEqual(filmsOf(answer)?.toSorted(), ["f1", "f11", "f12", "f2"]);
    assert.deepEqual(filmsOf(await mix("anna", "request-1")), filmsOf(answer));
    const starts = new Set<string | undefined>();
    for (let request = 0; request < 20; request++) {
      starts.add(filmsOf(await mix(`user-${request}`, `request-${request}`))?.[0]);
    }
    assert.deepEqual(starts, new Set(["f1", "f12"]), "either team begins at times");
  });

  it("remembers which team gave each item before it answers", async () => {
    const answer = await mix("anna", "request-2");
    const [list] = await log.lists(open.attemptId);
    assert.deepEqual(list.items, filmsOf(answer));
    assert.deepEqual([list.userId, list.requestId, list.historyThrough], ["anna", "request-2", 0]);
    for (const [position, film] of list.items.entries()) {
      assert.equal(list.teams[position], ["f11", "f12"].includes(film) ? "c" : "b");
    }
  });

  it("takes the share of users by their hash, the same ones at each request", async () => {
    await log.setOpen({ ...open, share: 0.3 }, 60_000);
    await interleaving.look();
    for (let user = 0; user < 50; user++) {
      const expected = isAssigned(`user-${user}`, `interleaving/${open.attemptId}`, 0.3);
      for (const request of ["a", "b"]) {
        assert.equal((await mix(`user-${user}`, request)) !== null, expected);
      }
    }
    assert.deepEqual(loads, ["challenger"], "a new share loads nothing");
  });

  it("mixes a sample of a user's lists only, stops at another live version, and at the end", async () => {
    await log.setOpen({ ...open, listsPerUser: 2 }, 60_000);
    await interleaving.look();
    const mixed: boolean[] = [];
    for (const id of ["1", "2", "3"].sort((a, b) => samplePlace(a) - samplePlace(b))) {
      mixed.push((await mix("anna", id)) !== null);
    }
    assert.deepEqual(mixed, [true, true, false]);
    assert.equal(await mix("bela", "4", { ...live, version: "promoted-meanwhile" }), null);
    await log.setOpen(null, 60_000);
    await interleaving.look();
    assert.equal(await mix("carl", "5"), null);
    assert.equal(interleaving.challenger, null);
    assert.deepEqual(outcomes, ["mixed", "mixed", "used-up"]);
  });

  it("leaves the live list when the challenger fails, and sets it aside after five in a row", async () => {
    const notANumber = { itemId: live.recommender.recommend(QUERY).items[0].itemId, score: Number.NaN };
    const ways: (() => Recommendation)[] = [
      () => {
        throw new Error("out of order");
      },
      () => ({ items: [], source: "model" }),
      () => ({ items: [notANumber], source: "model" }),
    ];
    let asked = 0;
    breakWith(() => ways[asked++ % ways.length]());
    for (let request = 0; request < 8; request++) assert.equal(await mix("anna", `${request}`), null);
    assert.equal(asked, 5);
    assert.deepEqual(outcomes.slice(4), ["failed", "set-aside", "set-aside", "set-aside"]);
    await interleaving.look();
    await interleaving.look();
    assert.deepEqual(await log.counts(open.attemptId), { asked: 8, failures: 8, timeouts: 0 });
    assert.deepEqual(await log.lists(open.attemptId), []);
  });

  it("counts an answer over the time budget as a time-out, and serves the live list", async () => {
    const answer = challenger.recommender.recommend(QUERY);
    const tookMs = [51, 50, 400];
    breakWith(() => {
      nowMs += tookMs.shift() ?? 0;
      return answer;
    });
    const mixed = [await mix("anna", "1"), await mix("anna", "2"), await mix("anna", "3")];
    assert.deepEqual(
      mixed.map((list) => list !== null),
      [false, true, false],
    );
    await interleaving.look();
    assert.deepEqual(await log.counts(open.attemptId), { asked: 3, failures: 0, timeouts: 2 });
  });

  it("serves the live list while Redis is stuck, asks it once, and blames nobody", async () => {
    suite.server.pause();
    try {
      assert.equal(await mix("anna", "1"), null);
      for (let request = 2; request < 10; request++) assert.equal(await mix("anna", `${request}`), null);
      assert.deepEqual(outcomes, ["not-remembered"]);
    } finally {
      suite.server.resume();
    }
    await eventually(async () => {
      nowMs += 1000;
      return (await mix("bela", "later")) !== null;
    }, "mixed again");
    await eventually(async () => {
      await interleaving.look();
      return (await log.counts(open.attemptId)).asked > 0;
    });
    assert.deepEqual((await log.counts(open.attemptId)).failures, 0);
  });

  it("mixes nothing in of a version that does not load, and does not load it at every look", async () => {
    loading = async () => {
      throw new Error("a byte was flipped");
    };
    await log.setOpen({ ...open, attemptId: `attempt-${attempts++}` }, 60_000);
    loads.length = 0;
    for (let look = 0; look < 5; look++) await interleaving.look();
    assert.deepEqual(loads, ["challenger"]);
    assert.equal(await mix("anna"), null);
    loading = async () => challenger;
    nowMs += 30_000;
    await interleaving.look();
    assert.notEqual(await mix("anna"), null);
  });
});
