import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { type JobContext, openContext } from "../../jobs/context.ts";
import { judge } from "../../jobs/judging/judge.ts";
import { recomputeDecision } from "../../models/gate/decision.ts";
import { goesOnUnder } from "../../models/gate/test-numbers.ts";
import { recommenderOf } from "../../models/model.ts";
import type { AuditEntry, LivePointer } from "../../services/registry/types.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import { type EarlierHome, readEarlierHome, unpackHome } from "../support/earlier-home/earlier-home.ts";
import { eventually } from "../support/eventually.ts";
import { heldPairs } from "../support/held-pairs.ts";
import type { PrivateRedis } from "../support/redis.ts";
import { type Service, startService } from "../support/service.ts";

/*
 * Homes that released versions wrote, by tests/support/earlier-home/write-home.ts. Whatever is changed since, what
 * they hold is read, verifies and goes on. Each holds a forced promotion that was rolled back, a live version with a
 * watch over it, a canary, an open attempt, a rejected challenger, and a decision of the gate at every step.
 */
const HOMES = ["home-0.1"];

interface Reply {
  readonly items: readonly { readonly itemId: string }[];
  readonly model: { readonly version: string };
  readonly history: string;
}

for (const name of HOMES) {
  describe(`${name}, a home that an earlier version wrote`, () => {
    let earlier: EarlierHome;
    let service: Service;
    let context: JobContext;
    let api: ApiClient;
    let url: string;
    const stored = (key: string): unknown =>
      earlier.redis.find((one) => one.key === `{phasewise}:${key}`)?.value;
    const hash = (key: string) => stored(key) as Readonly<Record<string, string>>;
    const inState = (state: string): string => {
      const found = Object.entries(hash("registry:states")).find(([, one]) => one === state);
      assert.ok(found !== undefined, `a version in state ${state}`);
      return found[0];
    };

    before(async () => {
      earlier = await readEarlierHome(name);
      const policy = JSON.parse(Buffer.from(earlier.files["policy.json"], "base64").toString());
      const restore = async (home: string, { url }: PrivateRedis): Promise<void> => {
        const client = new Redis(url);
        await unpackHome(earlier, home, client);
        client.disconnect();
      };
      service = await startService(policy, { restore });
      context = await openContext({ ...service.config, logLevel: "silent" });
      ({ url } = await service.startApi());
      api = apiClient(url, service.key);
    });
    after(async () => {
      await context.close();
      await service.stop();
    });

    it("serves the live version and the canary from the histories that it holds", async () => {
      const users = earlier.redis.flatMap(({ key }) => /:history:(.+)$/.exec(key)?.[1] ?? []).slice(0, 40);
      const answeredBy = new Set<string>();
      for (const user of users) {
        const reply = await api.get<Reply>(`/recommend?userId=${user}&k=10`);
        assert.equal(reply.items.length, 10);
        answeredBy.add(reply.model.version);
      }
      assert.deepEqual([...answeredBy].sort(), [inState("CANARY"), inState("LIVE")].sort());
    });

    it("shows every version in its state, and its card", async () => {
      const ladder = await api.get<Ladder>("/ladder");
      assert.equal(ladder.live?.version, inState("LIVE"));
      const shown = ladder.phases.flatMap(({ versions }) => versions);
      assert.deepEqual(
        Object.fromEntries(shown.map(({ version, state }) => [version, state])),
        hash("registry:states"),
      );
      for (const { version } of shown) {
        const { card } = await api.get<{ card: string }>(`/models/${version}`);
        assert.match(card, new RegExp(version));
      }
    });

    it("loads every artifact, the snapshot and the evaluations, each checked against its hash", async () => {
      for (const version of Object.keys(hash("registry:states"))) {
        const record = await context.registry.version(version);
        const { model, manifest } = await context.artifacts.load(version, record?.manifestSha256);
        assert.equal(recommenderOf(model).recommend({ history: [], k: 10 }).items.length, 10);
        const key = { ...manifest, dataSha256: manifest.data.sha256 };
        assert.notEqual(await context.evaluations.get(key), null, `the evaluation of ${version}`);
      }
      const { log, provenance } = await context.loadTrainingData();
      assert.ok(log.timestamps.length > 2000 && provenance.sha256 !== "");
    });

    it("has chains that hold, and decisions that the same evidence gives again", async () => {
      assert.equal(await context.registry.verifyAudit(), null);
      assert.equal(await context.decisions.verify(), null);
      const records = hash("decisions:records");
      const decisions = await context.decisions.list({ limit: 1000 });
      assert.equal(decisions.length, Object.keys(records).length);
      for (const decision of decisions) {
        const { sameE, sameAlpha, sameVerdict } = recomputeDecision(decision);
        assert.deepEqual([sameE, sameAlpha, sameVerdict], [true, true, true], records[decision.id]);
      }
      const { code, stdout } = await service.cli(["verify-decision", decisions[0].id], url);
      assert.equal(code, 0, stdout);
    });

    it("goes on with the comparisons that were open, from the users they had", async (t) => {
      const open = stored("shadow:open") as readonly string[];
      const before = JSON.parse(String(stored("shadow:looks"))) as readonly Counted[];
      const again = await judge(context, { kind: "judge", record: true });
      const [attempt] = await context.shadowLog.openAttempts();
      if (!goesOnUnder(attempt, context.policy)) {
        t.diagnostic("the policy's numbers of the test are others now, and open comparisons start afresh");
        return;
      }
      const all = [...(await context.shadowLog.openAttempts()), ...(await context.shadowLog.openWatches())];
      assert.deepEqual(all.map(({ id }) => id).sort(), [...open].sort());
      assert.deepEqual(counts(again), counts(before));
      assert.equal(await context.decisions.verify(), null);
    });

    it("is shadowed by its open challenger, and trains on what it holds", async () => {
      const worker = await service.startWorker();
      const [attempt] = await context.shadowLog.openAttempts();
      for (let user = 0; user < 40; user++) await api.get<Reply>(`/recommend?userId=new-${user}&k=10`);
      const fresh = async () =>
        (await heldPairs(context.shadowLog, attempt)).filter(({ userId }) => userId.startsWith("new-"));
      await eventually(async () => (await fresh()).length > 0, "the challenger is asked in the shadow");
      assert.ok(
        (await fresh()).every(({ baseline, challenger }) => baseline !== null && challenger !== null),
      );
      const words = ["train", "--phase", "2", "--recipe", "item-knn", "--seed", "5", "--json"];
      const { code, stdout, stderr } = await service.cli(words, url);
      // 4 says that the gate rejected what was trained.
      assert.ok(code === 0 || code === 4, stderr);
      assert.match(JSON.parse(stdout).result.version, /^item-knn-/);
      await worker.stop();
    });

    it("ends its canary, rolls back to the version before, and promotes again", async () => {
      const [canary, previous] = [inState("CANARY"), inState("PREVIOUS")];
      const reason = "a step of the test";
      const left = await api.post<{ live: LivePointer }>("/rollback", { expectedLive: canary, reason });
      assert.deepEqual([left.live.version, left.live.canary], [inState("LIVE"), null]);
      const back = await api.post<{ live: LivePointer }>("/rollback", {
        expectedLive: inState("LIVE"),
        reason,
      });
      assert.equal(back.live.version, previous);
      const order = { expectedLive: previous, reason, force: true };
      const challenger = inState("SHADOWING");
      const { live } = await api.post<{ live: LivePointer }>(`/models/${challenger}/promote`, order);
      assert.equal(live.version, challenger);
      assert.equal((await api.get<Reply>("/recommend?userId=new-1&k=10")).model.version, challenger);
      const { firstBroken } = await api.get<{ entries: readonly AuditEntry[]; firstBroken: number | null }>(
        "/audit",
      );
      assert.equal(firstBroken, null);
    });
  });
}

interface Counted {
  readonly about: string;
  readonly verdict: string;
  readonly users: number;
}

function counts(judgements: readonly Counted[]): string[] {
  return judgements.map(({ about, verdict, users }) => `${about}: ${verdict} after ${users} users`).sort();
}
