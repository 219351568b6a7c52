import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { type ApiClient, apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import { openContext } from "../../jobs/context.ts";
import { splitByTime, splitTerms } from "../../jobs/data/training-data.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import { serializeModel, sha256Hex, versionOf } from "../../models/artifact/artifact.ts";
import { fitModel } from "../../models/model.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import type { JobView } from "../../services/queues/types.ts";
import type { VersionRecord } from "../../services/registry/types.ts";
import { eventually } from "../support/eventually.ts";
import { patiently } from "../support/patiently.ts";
import { type Running, type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

/** Time a killed worker's job needs: its lock must run out, and the next look for stalled jobs must come. */
const STALL_BOUND_MS = 60_000;

describe("F5: a training that is killed", () => {
  let service: Service;
  let api: ApiClient;
  let url: string;
  let worker: Running;
  let producers: JobProducers;

  /** Long enough to be hit in the middle; each seed is a version of its own. */
  const startTraining = async (seed: number): Promise<string> => {
    const order = { phase: 3, recipe: "als", tune: true, seed };
    return (await api.post<{ jobId: string }>("/retrain", order)).jobId;
  };
  /** Read from the queue itself: asking the API this often would meet its rate limit. */
  const viewOf = async (jobId: string): Promise<JobView> => {
    const view = await patiently(() => producers.job(jobId));
    assert.ok(view !== null, "the job is known");
    return view;
  };
  /** The retrain waits for its trials, and one of the worker's processes is at one. */
  const isTuning = async (jobId: string): Promise<boolean> => {
    const { state, progress } = await viewOf(jobId);
    assert.notEqual(state, "completed", "the training is too short for this test");
    if (state !== "waiting" || progress === null || !progress.message.includes("trial")) return false;
    return (await patiently(() => producers.pending())).training > 1 && (await childrenOf(worker)).length > 0;
  };
  const published = async (): Promise<string[]> => (await readdir(`${service.home}/artifacts`)).sort();
  const registered = async (): Promise<string[]> => {
    const { versions } = await api.get<{ versions: readonly VersionRecord[] }>("/models");
    return versions.map(({ version }) => version).sort();
  };
  const assertOnePublished = async (job: JobView, before: readonly string[]): Promise<void> => {
    assert.equal(job.state, "completed", job.failedReason ?? "");
    const { version } = job.result as RetrainResult;
    assert.deepEqual(await published(), [...before, version].sort());
    assert.deepEqual(await registered(), await published());
  };

  before(async () => {
    service = await startService({
      schedule: { judgeEverySeconds: 3600 },
      training: { trials: 20 },
    });
    const dataFolder = await writeSmallData(service.home, { users: 400, items: 300, events: 16_000 });
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    ({ url } = await service.startApi());
    worker = await service.startWorker();
    api = apiClient(url, service.key);
    producers = createProducers(service.config, () => {});
  });
  after(async () => {
    await producers.close();
    await service.stop();
  });

  it("in its child process is run again, and publishes one artifact", { timeout: 120_000 }, async () => {
    const before: readonly string[] = [];
    const jobId = await startTraining(1);
    await eventually(() => isTuning(jobId), "training is under way");
    // The first is the one that asked for the trials; with two under way it is at one of them.
    const [trainer] = await childrenOf(worker);
    process.kill(trainer, "SIGKILL");
    await assertOnePublished(await followJob(api, jobId), before);
    assert.equal(worker.process.exitCode, null, "the worker itself lives on");
  });

  it("goes on from its last epoch and ends with the arrays of an undisturbed one", {
    timeout: 180_000,
  }, async () => {
    const params = { embeddingSize: 16, maxLength: 10, epochs: 12, refitEpochs: 0 };
    const checkpoints = `${service.home}/checkpoints`;
    // What a process was writing when it was killed has no name yet.
    const kept = async () =>
      (await readdir(checkpoints).catch((): string[] => [])).filter((name) => !name.startsWith(".tmp-"));
    const jobId = (
      await api.post<{ jobId: string }>("/retrain", { phase: 4, recipe: "sasrec", params, seed: 3 })
    ).jobId;
    const epochOf = async (): Promise<number> =>
      Number(/epoch (\d+)/.exec((await viewOf(jobId)).progress?.message ?? "")?.[1] ?? 0);
    await eventually(
      async () => (await epochOf()) >= 3 && (await kept()).length > 0,
      "epochs are kept",
      60_000,
    );
    for (const trainer of await childrenOf(worker)) process.kill(trainer, "SIGKILL");
    const killed = await viewOf(jobId);
    assert.notEqual(killed.state, "completed", "the training is too short for this test");
    const job = await followJob(api, jobId);
    assert.equal(job.state, "completed", job.failedReason ?? "");
    assert.deepEqual(await kept(), [], "nothing is kept of a fit whose artifact is published");

    const context = await openContext({ ...service.config, logLevel: "silent" });
    const { all } = splitByTime(await context.loadTrainingData(), splitTerms(context.policy));
    await context.close();
    const { threads } = context.config;
    const { model } = await fitModel("sasrec", all, params, { seed: 3, threads });
    assert.equal(
      (job.result as RetrainResult).version,
      versionOf("sasrec", sha256Hex(serializeModel(model))),
    );
  });

  it("with its whole worker is finished by another, and leaves no orphan", {
    timeout: 120_000,
  }, async (t) => {
    const before = await published();
    const jobId = await startTraining(2);
    await eventually(() => isTuning(jobId), "training is under way");
    const orphans = await childrenOf(worker);
    assert.ok(orphans.length > 0);
    worker.process.kill("SIGKILL");
    const killedAt = performance.now();
    await eventually(async () => (await Promise.all(orphans.map(isAlive))).every((alive) => !alive), "gone");
    t.diagnostic(
      `${orphans.length} orphans gone ${Math.round(performance.now() - killedAt)} ms after their worker`,
    );
    assert.deepEqual(await published(), before, "the orphan published nothing");
    worker = await service.startWorker();
    await eventually(
      async () => (await viewOf(jobId)).state === "completed",
      "the job is finished by the next worker",
      STALL_BOUND_MS,
    );
    await assertOnePublished(await viewOf(jobId), before);
  });
});

async function childrenOf({ process: { pid } }: Running): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

/** A killed process whose parent is gone too may stay a zombie for a moment: it runs no more. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}
