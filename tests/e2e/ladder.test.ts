import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { type PreparedData, prepareData } from "../../deploy/data/prepare-data.ts";
import { replay } from "../../deploy/replay/replay.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import type { Decision } from "../../models/gate/decision.ts";
import { STREAM } from "../../services/interactions/keys.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import { connectRedis } from "../../services/redis.ts";
import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { AuditEntry, LivePointer } from "../../services/registry/types.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import { redisShadowLog } from "../../services/shadow/redis-shadow-log.ts";
import { eventually } from "../support/eventually.ts";
import { heldPairs } from "../support/held-pairs.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

/** Minimums for a few hundred users; nothing is promoted by itself, so that each step can be looked at. */
const REQUESTS_PER_USER = 20;
const POLICY = {
  screen: { minimumUsers: 10 },
  shadow: { minimumUsers: 20, requestsPerUser: REQUESTS_PER_USER },
  schedule: { judgeEverySeconds: 3600 },
};

interface Reply {
  readonly items: readonly { readonly itemId: string; readonly title: string }[];
  readonly model: { readonly version: string; readonly phase: number };
  readonly source: string;
  readonly history: string;
}

describe("the ladder, climbed by the real processes", () => {
  let service: Service;
  let url: string;
  let api: ApiClient;
  let data: PreparedData;
  let producers: JobProducers;
  let known: string;
  const versions: Record<string, string> = {};

  const importData = async (): Promise<PreparedData> =>
    prepareData({ ...service.config, dataFolder: `${service.home}/recorded` }, { cut: 0.7, say: () => {} });
  const retrain = async (recipe: string, phase: number): Promise<RetrainResult> => {
    const { jobId } = await api.post<{ jobId: string }>("/retrain", { phase, recipe });
    const job = await followJob(api, jobId);
    assert.equal(job.state, "completed", job.failedReason ?? "");
    return job.result as RetrainResult;
  };
  /** On a busy machine Redis may answer too late for a reply, which then says so: ask until it did not. */
  const recommend = async (query: string): Promise<Reply> => {
    for (;;) {
      const reply = await api.get<Reply>(`/recommend?${query}`);
      if (reply.history !== "unavailable" && reply.history !== "remembered") return reply;
    }
  };
  const listOf = async (userId: string): Promise<string[]> =>
    (await recommend(`userId=${userId}&k=10`)).items.map(({ itemId }) => itemId);
  const promote = (version: string, expectedLive: string | null, force = false) =>
    api.post<{ live: LivePointer }>(`/models/${version}/promote`, {
      expectedLive,
      reason: "a step of the test",
      force,
    });
  /** On a busy machine a history may come too late for the reply; such a request cannot be asked again. */
  const askedWithoutStoredHistory = async (): Promise<number> => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const counts = metrics.matchAll(
      /^phasewise_histories_total\{origin="(?:remembered|unavailable)"\} (\d+)/gm,
    );
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const judgeNow = async (): Promise<void> => {
    const jobId = await producers.addJudge({ kind: "judge", record: true }, Date.now());
    await eventually(async () => (await producers.job(jobId))?.state === "completed", "the judge has looked");
  };

  before(async () => {
    service = await startService(POLICY);
    await writeSmallData(service.home);
    data = await importData();
    // Read by hand from the log: the first user of the past, whose history is therefore stored.
    known = data.log.users.idAt(data.log.userIndex[0]);
    ({ url } = await service.startApi());
    await service.startWorker();
    api = apiClient(url, service.key);
    producers = createProducers(service.config, () => {});
  });
  after(async () => {
    await producers.close();
    await service.stop();
  });

  it("serves nothing before the first promotion, and says what to do", async () => {
    const early = await fetch(`${url}/recommend?userId=anybody`);
    assert.equal(early.status, 503);
    assert.match(await early.text(), /train/);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
  });

  it("makes a phase-1 model the floor, and answers known, unknown and anonymous users", async () => {
    const { version, phase } = await retrain("popularity", 1);
    assert.equal(phase, 1);
    versions.popularity = version;
    const { live } = await promote(version, null);
    assert.equal(live.version, version);
    assert.equal(live.floor, version);

    const stored = await recommend(`userId=${known}&k=10`);
    assert.equal(stored.history, "stored");
    assert.deepEqual(stored.model, { version, phase: 1, recipe: "popularity" });
    const seen = new Set<string>();
    for (let event = 0; event < data.cutAt; event++) {
      if (data.log.users.idAt(data.log.userIndex[event]) === known)
        seen.add(data.log.items.idAt(data.log.itemIndex[event]));
    }
    assert.deepEqual(
      stored.items.filter(({ itemId }) => seen.has(itemId)),
      [],
    );
    assert.ok(stored.items.every(({ title }) => title !== ""));

    const stranger = await recommend("userId=nobody-at-all&k=10");
    assert.deepEqual([stranger.history, stranger.source], ["empty", "popular"]);
    const film = stored.items[0].itemId;
    const session = await api.post<Reply>("/recommend", { history: [film], k: 10 });
    assert.equal(session.history, "request");
    assert.ok(session.items.every(({ itemId }) => itemId !== film));
  });

  it("trains higher rungs, and sends those that did not lose offline into the shadow", async () => {
    for (const [recipe, phase] of [
      ["item-knn", 2],
      ["als", 3],
    ] as const) {
      const result = await retrain(recipe, phase);
      assert.equal(result.phase, phase);
      assert.ok(result.ndcg > 0 && result.ndcg < 1);
      assert.ok(["SHADOWING", "REJECTED"].includes(result.state), `${result.state}: ${result.reason}`);
      versions[recipe] = result.version;
    }
    assert.equal((await api.get<Ladder>("/ladder")).live?.version, versions.popularity);
  });

  it("training again on the same data publishes no second version", async () => {
    const { version } = await retrain("item-knn", 2);
    assert.equal(version, versions["item-knn"]);
    const { phases } = await api.get<Ladder>("/ladder");
    assert.deepEqual(
      phases.map((phase) => phase.versions.length),
      [1, 1, 1, 0],
    );
  });

  it("records pairs of both lists while later events arrive as traffic, and loses no request", async () => {
    const { cutAt, log } = data;
    const done = await replay({ url, key: service.key, log, from: cutAt, eventsPerSecond: 0 });
    assert.equal(done.played, log.timestamps.length - cutAt);
    assert.equal(done.failures, 0);
    const redis = connectRedis(service.config, "patient", () => {});
    try {
      const shadowLog = redisShadowLog(redis);
      const [attempt] = await shadowLog.openAttempts();
      assert.ok(attempt !== undefined, "at least one challenger is in the shadow");
      // Every played event was one request.
      await eventually(
        async () => (await workedOff(redis)) >= done.played - (await askedWithoutStoredHistory()),
        "every request is worked off, or counted as missed",
      );
      assert.equal(await shadowLog.lost(attempt.id, Date.now()), 0);
      const counts = await shadowLog.counts(attempt.id);
      assert.ok(counts.asked > 0 && counts.asked <= done.played);
      assert.equal(counts.shamsIdentical, counts.shams);
      assert.ok(counts.bothAnswered > 0.9 * counts.asked, "a busy machine may be late now and then");
      const pairs = await heldPairs(shadowLog, attempt);
      assert.equal(new Set(pairs.map(({ requestId }) => requestId)).size, pairs.length);
    } finally {
      redis.disconnect();
    }
  });

  it("reaches verdicts in words, which the command line recomputes from their evidence", async () => {
    await judgeNow();
    const { decisions } = await api.get<{ decisions: readonly DecisionSummary[] }>("/decisions");
    const shadowed = decisions.filter(({ ruling }) => "test" in ruling);
    assert.ok(shadowed.length >= 1, "a decision about the shadow");
    for (const { sentence, ruling } of decisions) {
      assert.match(sentence, /\w+ \w+ \w+/);
      assert.ok(["pass", "hold", "reject"].includes(ruling.verdict));
    }
    const { code, stdout } = await service.cli(["verify-decision", shadowed[0].id, "--json"], url);
    assert.equal(code, 0, stdout);
    const { holds, chain } = JSON.parse(stdout);
    assert.equal(holds, true);
    assert.deepEqual([chain.position >= 1, chain.firstBroken], [true, null]);
    const whole = await api.get<Decision>(`/decisions/${shadowed[0].id}`);
    assert.ok(whole.hearing.about === "shadow" && whole.hearing.evidence.users.length >= 20);
    const { sampling } = whole.hearing.evidence;
    assert.ok(sampling !== null);
    assert.equal(
      sampling.sampled,
      sampling.joined +
        sampling.unanswered +
        sampling.early +
        sampling.pending +
        sampling.shed +
        sampling.failed,
    );
  });

  it("does not vouch for a decision while another link of the chain is forged", async () => {
    const { decisions } = await api.get<{ decisions: readonly DecisionSummary[] }>("/decisions");
    const [last] = decisions;
    const first = decisions[decisions.length - 1];
    const [records, redis] = [
      "decisions:records",
      connectRedis(service.config, "patient", () => {}),
    ] as const;
    try {
      const text = (await redis.hget(records, first.id)) as string;
      await redis.hset(records, first.id, text.replace('"actor":"gate"', '"actor":"mallory"'));
      const { code, stdout } = await service.cli(["verify-decision", last.id], url);
      assert.equal(code, 1);
      assert.match(stdout, new RegExp(`does NOT hold: the chain of decisions is broken at ${first.id}`));
      const stranger = await api.post<{ id: string; key: string }>("/keys", {
        name: "no operator",
        scopes: ["serve"],
      });
      const keyFile = join(service.home, "stranger");
      await writeFile(keyFile, stranger.key);
      const strangers = await service.cli(["verify-decision", last.id, "--key-file", keyFile], url);
      await api.delete(`/keys/${stranger.id}`);
      assert.equal(strangers.code, 0, strangers.stderr);
      assert.match(strangers.stdout, /holds: .* the chain was not checked/);
      await redis.hset(records, first.id, text);
    } finally {
      redis.disconnect();
    }
  });

  it("promotes by moving the pointer: version, phase and lists change for open connections", async () => {
    const before = await listOf(known);
    const live = await promote(versions["item-knn"], versions.popularity, true);
    assert.equal(live.live.previous, versions.popularity);
    const { model } = await recommend(`userId=${known}&k=10`);
    assert.deepEqual(model, { version: versions["item-knn"], phase: 2, recipe: "item-knn" });
    const knn = await listOf(known);
    assert.notDeepEqual(knn, before);

    const { live: back, changed } = await api.post<{ live: LivePointer; changed: boolean }>("/rollback", {
      expectedLive: versions["item-knn"],
      reason: "a step of the test",
    });
    assert.equal(changed, true);
    assert.equal(back.version, versions.popularity);
    assert.deepEqual(await listOf(known), before);
    await assert.rejects(promote(versions["item-knn"], versions.popularity, false), /RETIRED/);
  });

  it("keeps an audit chain that verifies and tells the whole story", async () => {
    const { entries, firstBroken } = await api.get<{
      entries: readonly AuditEntry[];
      firstBroken: number | null;
    }>("/audit");
    assert.equal(firstBroken, null);
    const moves = entries.filter(({ action }) => ["promote", "force-promote", "rollback"].includes(action));
    assert.deepEqual(
      moves.map(({ action, version }) => [action, version]),
      [
        ["promote", versions.popularity],
        ["force-promote", versions["item-knn"]],
        ["rollback", versions.popularity],
      ],
    );
  });

  it("importing and replaying the same again does nothing twice", async () => {
    const again = await importData();
    assert.equal(again.snapshot.sha256, data.snapshot.sha256);
    assert.equal(again.summary.seeded, 0);
    const redis = connectRedis(service.config, "patient", () => {});
    try {
      const length = (): Promise<number> => redis.xlen(STREAM);
      const before = await length();
      assert.ok(before > 0);
      const twenty = { ...data.log, timestamps: data.log.timestamps.slice(0, data.cutAt + 20) };
      const done = await replay({ url, key: service.key, log: twenty, from: data.cutAt, eventsPerSecond: 0 });
      assert.deepEqual([done.played, done.failures], [20, 0]);
      assert.equal(await length(), before);
    } finally {
      redis.disconnect();
    }
  });
});

/** Sampled requests that the worker has done with, or that were shed. */
async function workedOff(redis: Redis): Promise<number> {
  let requests = 0;
  for (const key of await redis.keys("{phasewise}:shadow:run:*")) {
    const stretches = await redis.hgetall(key.replace("{phasewise}:", ""));
    for (const [from, text] of Object.entries(stretches))
      requests += Number.parseInt(text, 10) - Number(from);
  }
  return requests;
}
