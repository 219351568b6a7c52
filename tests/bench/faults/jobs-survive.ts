import { readFile } from "node:fs/promises";
import { type ApiClient, apiClient } from "../../../deploy/client/api-client.ts";
import { followJob } from "../../../deploy/client/follow-job.ts";
import { prepareData } from "../../../deploy/data/prepare-data.ts";
import type { JobView } from "../../../services/queues/types.ts";
import type { Readiness } from "../../../services/serving/routes/health.ts";
import { type Running, startService } from "../../support/service.ts";
import { writeSmallData } from "../../support/small-data.ts";
import type { Figures } from "./figures.ts";
import { until } from "./small-service.ts";

async function childrenOf({ process: { pid } }: Running): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return children.split(" ").filter(Boolean).map(Number);
}

async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}

/** Long enough to be hit in the middle. */
const NEURAL = { embeddingSize: 16, maxLength: 10, epochs: 12, refitEpochs: 0 };
const startTraining = async (api: ApiClient, seed: number): Promise<string> => {
  const order = { phase: 4, recipe: "sasrec", params: NEURAL, seed };
  return (await api.post<{ jobId: string }>("/retrain", order)).jobId;
};

/** F5: a worker and its trainer killed; F2: Redis killed and restarted; F27: the last worker killed. */
export async function jobsSurvive(): Promise<Figures> {
  const service = await startService({ schedule: { judgeEverySeconds: 3600 } });
  try {
    const dataFolder = await writeSmallData(service.home, { users: 400, items: 300, events: 16_000 });
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    const { url } = await service.startApi();
    const api = apiClient(url, service.key);
    const workers = [await service.startWorker(), await service.startWorker()];
    const view = (jobId: string) => api.get<JobView>(`/jobs/${jobId}`);
    const trainer = async (): Promise<Running | undefined> => {
      const children = await Promise.all(workers.map(childrenOf));
      return workers.find((_, n) => children[n].length > 0);
    };

    const job = await startTraining(api, 1);
    await until(
      async () => ((await view(job)).progress?.fraction ?? 0) > 0 && (await trainer()) !== undefined,
    );
    const victim = (await trainer()) ?? workers[0];
    const orphans = await childrenOf(victim);
    victim.process.kill("SIGKILL");
    const killedAt = performance.now();
    const orphansMs = await until(async () => !(await Promise.all(orphans.map(isAlive))).includes(true));
    const survivor = workers.find((worker) => worker !== victim) ?? victim;
    await until(async () => (await childrenOf(survivor)).length > 0);
    const againMs = performance.now() - killedAt;
    const { state } = await followJob(api, job);
    const { versions } = await api.get<{ versions: readonly object[] }>("/models");

    const waiting = await startTraining(api, 2);
    await until(async () => (await view(waiting)).progress !== null);
    await service.redis.kill();
    await service.redis.restart();
    const apiMs = await until(async () => (await fetch(`${url}/ladder`)).status === 200);
    const next = (await api.post<{ jobId: string }>("/retrain", { phase: 1, recipe: "popularity" })).jobId;
    const workerMs = await until(async () => ["active", "completed"].includes((await view(next)).state));
    const { state: afterwards } = await followJob(api, waiting);

    survivor.process.kill("SIGKILL");
    const missedMs = await until(
      async () => ((await (await fetch(`${url}/readyz`)).json()) as Readiness).workers?.alive === 0,
    );
    return {
      F2: `the API answers from Redis ${apiMs.toFixed(0)} ms after its restart, a worker takes a job ${workerMs.toFixed(0)} ms later; the training under way: ${afterwards}`,
      F5: `${orphans.length} orphan gone after ${orphansMs.toFixed(0)} ms, run again by the other worker after ${(againMs / 1000).toFixed(1)} s: ${state}, ${versions.length} version registered`,
      F27: `missed in /readyz ${(missedMs / 1000).toFixed(1)} s after kill -9`,
    };
  } finally {
    await service.stop();
  }
}
