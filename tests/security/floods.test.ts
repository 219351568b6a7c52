import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import type { ModelView } from "../../services/serving/routes/models.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

const POSTS = 60;
const EVENTS_A_POST = 500;

describe("a flood of one user's events", () => {
  let service: Service;
  let api: ApiClient;
  let url: string;

  const train = async (recipe: string, phase: number): Promise<RetrainResult> => {
    const { jobId } = await api.post<{ jobId: string }>("/retrain", { phase, recipe });
    const { state, result, failedReason } = await followJob(api, jobId);
    assert.equal(state, "completed", failedReason ?? "");
    return result as RetrainResult;
  };
  const statusOf = async (body: object): Promise<number> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${service.key}` };
    const reply = await fetch(`${url}/feedback`, { method: "POST", headers, body: JSON.stringify(body) });
    await reply.arrayBuffer();
    // On a busy machine Redis may be late: nobody knows then whether the events are in, so the same ids are sent again.
    return reply.status === 503 ? await statusOf(body) : reply.status;
  };
  const modelOf = ({ version }: RetrainResult) => api.get<ModelView>(`/models/${version}`);

  before(async () => {
    service = await startService({ schedule: { judgeEverySeconds: 3600 } });
    const dataFolder = await writeSmallData(service.home);
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    ({ url } = await service.startApi());
    await service.startWorker();
    api = apiClient(url, service.key);
  });
  after(() => service.stop());

  it("leaves the retrain and its holdout to everybody else, and the card says who was set aside", async () => {
    const before = await train("popularity", 1);
    await api.post(`/models/${before.version}/promote`, { expectedLive: null, reason: "the floor" });
    const calm = (await modelOf(before)).manifest;
    const statuses: number[] = [];
    for (let post = 0; post < POSTS; post++) {
      const events = Array.from({ length: EVENTS_A_POST }, (_, n) => ({
        eventId: `flood-${post}-${n}`,
        userId: "flooder",
        itemId: String(1 + ((post * EVENTS_A_POST + n) % 5000)),
        type: "watch",
      }));
      statuses.push(await statusOf({ events }));
    }
    // One user may send so many a day, and no more come in; even those are most of what is known here.
    assert.deepEqual([...new Set(statuses)], [202, 429]);
    const taken = statuses.filter((status) => status === 202).length * EVENTS_A_POST;
    const after = await train("item-knn", 2);
    const { manifest, card } = await modelOf(after);
    assert.equal(manifest.offline.users, calm.offline.users);
    assert.ok(manifest.offline.users > 30);
    assert.deepEqual(manifest.data.setAside?.floods, { users: 1, events: taken });
    assert.equal(manifest.data.rows, calm.data.rows);
    assert.ok(card.includes(`Set aside, neither learned from nor judged by: ${taken} events of 1 user `));
    assert.notEqual(after.state, "REJECTED", after.reason);
  });

  it("is folded into the snapshot only so far as one user's events go, and then trained around too", async () => {
    const { code, stdout, stderr } = await service.cli(["compact", "--json"]);
    assert.equal(code, 0, stderr + stdout);
    const name = await readFile(join(service.home, "snapshot", "current"), "utf8").catch(() => "");
    assert.match(name, /^snapshot-/);
    const { manifest } = await modelOf(await train("popular-lately", 1));
    assert.equal(manifest.data.setAside?.floods.users, 1);
    assert.ok((manifest.data.setAside?.floods.events ?? 0) <= 5000);
    const { live } = await api.get<Ladder>("/ladder");
    assert.match(live?.version ?? "", /^popularity-/);
  });
});
