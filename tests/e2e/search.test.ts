import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import type { Manifest } from "../../models/artifact/manifest.ts";
import type { ModelCard } from "../../models/card/card.ts";
import { type JobView, QUEUES, TRAINING_JOBS } from "../../services/queues/types.ts";
import { eventually } from "../support/eventually.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

const TRIALS = 8;
const TRAIN = ["train", "--phase", "3", "--recipe", "als", "--params", '{"epochs":12}', "--tune"];

describe("a search of parameters, as an operator sees it", () => {
  let service: Service;
  let url: string;
  let api: ApiClient;
  let queue: Queue;

  before(async () => {
    service = await startService({
      schedule: { judgeEverySeconds: 3600 },
      training: { trials: TRIALS, analysisSeconds: 0 },
    });
    const dataFolder = await writeSmallData(service.home, { users: 300, items: 200, events: 10_000 });
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    ({ url } = await service.startApi());
    api = apiClient(url, service.key);
    // One place: of a round of trials one is being fitted, the others wait.
    await service.startWorker(undefined, { PHASEWISE_WORKER_CONCURRENCY: "1" });
    queue = new Queue(QUEUES.training, { connection: { url: service.config.redisUrl } });
  });
  after(async () => {
    await queue.close();
    await service.stop();
  });

  const trialsThat = async (...states: ("active" | "waiting" | "delayed")[]) =>
    (await queue.getJobs(states)).filter(({ name }) => name === TRAINING_JOBS.trial);

  it("tells how far it is, and the version shows every trial, what was taken and why", {
    timeout: 180_000,
  }, async () => {
    const { code, stdout, stderr } = await service.cli([...TRAIN, "--json"], url);
    assert.equal(code, 0, stderr);
    // What it reports depends on when it asks; tests/jobs/training/search-in-process has the words of trials.
    assert.match(stderr, /\d+ % {2}als: /);
    const { result, progress } = JSON.parse(stdout) as JobView;
    assert.equal(progress?.fraction, 1);

    const { version } = result as RetrainResult;
    const answer = await api.get<{ manifest: Manifest; modelCard: ModelCard; card: string }>(
      `/models/${version}`,
    );
    const { trials, choice } = answer.manifest;
    assert.ok(trials.length > TRIALS);
    assert.deepEqual([answer.modelCard.trials, answer.modelCard.choice], [trials, choice]);
    const rows = answer.card.split("\n").filter((line) => /^\| \d+ \|.* \| \d+ % \|/.test(line));
    assert.equal(rows.length, trials.length);
    assert.equal(rows.filter((row) => row.includes("**taken**")).length, 1);
    assert.ok(choice !== undefined && answer.card.includes(choice.why));
    const taken = trials.find(
      (trial) => trial.budget === 1 && trial.params.reg === answer.manifest.params.reg,
    );
    assert.ok(taken, "what was taken is one of the trials, in full");
  });

  it("is cancelled with the trials that wait, and may be asked for again", { timeout: 180_000 }, async () => {
    const order = { phase: 3, recipe: "als", params: { epochs: 100 }, tune: true, seed: 2 };
    const { jobId } = await api.post<{ jobId: string }>("/retrain", order);
    await eventually(
      async () => (await trialsThat("active")).length === 1 && (await trialsThat("waiting")).length > 0,
      "one trial is being fitted, and others wait",
      60_000,
    );
    const [trial] = await trialsThat("waiting");
    const refused = await service.cli(["cancel", String(trial.id)], url);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, new RegExp(`a trial of ${jobId}; cancel that`));

    const { code, stderr } = await service.cli(["cancel", jobId], url);
    assert.equal(code, 0, stderr);
    await assert.rejects(api.get(`/jobs/${jobId}`), /expected the id of a known job/);
    assert.deepEqual(await trialsThat("waiting", "delayed"), []);
    await eventually(async () => (await trialsThat("active")).length === 0, "the trial at work ends", 60_000);
    assert.equal(await queue.getWaitingChildrenCount(), 0);
    assert.equal(await queue.getFailedCount(), 0);

    const again = await api.post<{ jobId: string }>("/retrain", order);
    assert.notEqual(again.jobId, jobId);
    await eventually(
      async () => (await api.get<JobView>(`/jobs/${again.jobId}`)).state !== "unknown",
      "it is taken up",
    );
  });

  it("cannot be cancelled when it is over", { timeout: 180_000 }, async () => {
    const [done] = (await queue.getCompleted()).filter(({ name }) => name === TRAINING_JOBS.retrain);
    const { code, stderr } = await service.cli(["cancel", String(done.id)], url);
    assert.equal(code, 3);
    assert.match(stderr, /expected a job that is not over, got one that has completed/);
  });
});
