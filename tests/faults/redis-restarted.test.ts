import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import type { JobView } from "../../services/queues/types.ts";
import { eventually } from "../support/eventually.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

describe("Redis killed while a training runs and another one waits", () => {
  let service: Service;
  let api: ApiClient;
  let url: string;
  let popular: string;
  const jobs: string[] = [];

  const startTraining = async (seed: number): Promise<string> =>
    (await api.post<{ jobId: string }>("/retrain", { phase: 3, recipe: "als", tune: true, seed })).jobId;
  const statusOf = async (path: string, body?: object): Promise<number> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${service.key}` };
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, init);
    await response.arrayBuffer();
    return response.status;
  };
  const watched = (eventId: string) => ({
    events: [{ eventId, userId: "1", itemId: "1", type: "watch" }],
  });

  before(async () => {
    service = await startService({ schedule: { judgeEverySeconds: 3600 }, training: { trials: 8 } });
    const dataFolder = await writeSmallData(service.home, { users: 400, items: 300, events: 16_000 });
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    ({ url } = await service.startApi());
    await service.startWorker();
    api = apiClient(url, service.key);
    const { jobId } = await api.post<{ jobId: string }>("/retrain", { phase: 1, recipe: "popularity" });
    popular = ((await followJob(api, jobId)).result as RetrainResult).version;
    await api.post(`/models/${popular}/promote`, { expectedLive: null, reason: "the floor" });
    // The worker trains two at a time; the third waits.
    for (const seed of [1, 2, 3]) jobs.push(await startTraining(seed));
    await eventually(async () => {
      const { state, progress } = await api.get<JobView>(`/jobs/${jobs[0]}`);
      return state === "active" && progress !== null;
    }, "the first training is under way");
    await service.redis.kill();
  });
  after(() => service.stop());

  it("recommendations go on, and writes say that they cannot be taken", async () => {
    for (let request = 0; request < 50; request++) {
      assert.equal(await statusOf(`/recommend?userId=${1 + (request % 5)}&k=5`), 200);
    }
    assert.equal(await statusOf("/feedback", watched("while-away")), 503);
    assert.equal(await statusOf("/retrain", { phase: 1 }), 503);
    assert.equal(await statusOf("/readyz"), 200);
  });

  it("API and worker recover by themselves, and no job is lost", { timeout: 120_000 }, async () => {
    await service.redis.restart();
    await eventually(
      async () => (await statusOf("/feedback", watched("once-back"))) === 202,
      "feedback is taken",
    );
    await eventually(async () => {
      const reply = await fetch(`${url}/recommend?userId=1`, {
        headers: { authorization: `Bearer ${service.key}` },
      });
      return ((await reply.json()) as { history: string }).history === "stored";
    }, "histories are read again");
    const finished = await Promise.all(jobs.map((jobId) => followJob(api, jobId)));
    assert.deepEqual(
      finished.map(({ state }) => state),
      ["completed", "completed", "completed"],
    );
    const versions = finished.map(({ result }) => (result as RetrainResult).version);
    const { versions: known } = await api.get<{ versions: readonly { version: string }[] }>("/models");
    assert.deepEqual(known.map(({ version }) => version).sort(), [popular, ...new Set(versions)].sort());
  });

  it("jobs ordered afterwards run as before", async () => {
    const { jobId } = await api.post<{ jobId: string }>("/retrain", { phase: 1, recipe: "popular-lately" });
    assert.equal((await followJob(api, jobId)).state, "completed");
  });
});
