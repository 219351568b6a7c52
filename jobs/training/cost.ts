import type { EvaluationRequest } from "../../models/evaluation/requests.ts";
import { type Model, recommenderOf } from "../../models/model.ts";
import type { Recommender } from "../../models/recommender.ts";

export interface RequestCost {
  /** CPU milliseconds a recommendation takes. */
  readonly cpuMsPerRequest: number;
  readonly p99Ms: number;
  /** CPU over what a popularity list on the same catalogue takes in this process. */
  readonly relativeCost: number;
  /** CPU milliseconds of the other model; null without one. */
  readonly otherCpuMsPerRequest: number | null;
}

const WARM_UP_REQUESTS = 100;
const MEASURED_REQUESTS = 1000;

/**
 * Times real queries one after another in this process, beside the cheapest list there is, and beside another model
 * where there is one: costs are compared within one process only. Without any request, a stranger asks.
 */
export function measureCost(
  model: Model,
  other: Model | null,
  recorded: readonly Pick<EvaluationRequest, "history">[],
  k: number,
): RequestCost {
  const requests = recorded.length === 0 ? [{ history: [] }] : recorded;
  const reference: Model = {
    ...model,
    phase: 1,
    recipe: "popularity",
    params: {},
    arrays: { popularity: { shape: [model.items.size], data: model.floor } },
  };
  const popularity = timed(recommenderOf(reference), requests, k);
  const measured = timed(recommenderOf(model), requests, k);
  return {
    ...measured,
    relativeCost: measured.cpuMsPerRequest / popularity.cpuMsPerRequest,
    otherCpuMsPerRequest: other === null ? null : timed(recommenderOf(other), requests, k).cpuMsPerRequest,
  };
}

function timed(
  recommender: Recommender,
  requests: readonly Pick<EvaluationRequest, "history">[],
  k: number,
): Pick<RequestCost, "cpuMsPerRequest" | "p99Ms"> {
  const ask = (index: number): void => {
    recommender.recommend({ history: requests[index % requests.length].history, k });
  };
  for (let index = 0; index < WARM_UP_REQUESTS; index++) ask(index);
  const elapsedMs = new Float64Array(MEASURED_REQUESTS);
  const cpuBefore = process.cpuUsage();
  for (let index = 0; index < MEASURED_REQUESTS; index++) {
    const start = performance.now();
    ask(index);
    elapsedMs[index] = performance.now() - start;
  }
  const cpu = process.cpuUsage(cpuBefore);
  elapsedMs.sort();
  return {
    cpuMsPerRequest: (cpu.user + cpu.system) / 1000 / MEASURED_REQUESTS,
    p99Ms: elapsedMs[Math.floor(MEASURED_REQUESTS * 0.99)],
  };
}
