import { getHeapStatistics } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import type { ItemId } from "../../models/data/ids.ts";
import type { ListFault } from "../../models/evaluation/list-faults.ts";
import { kernelMemoryBytes } from "../../models/kernels/wasm.ts";
import { recommenderOf } from "../../models/model.ts";
import { NonFiniteScoreError } from "../../models/recipe.ts";
import type { ItemFilter, Query } from "../../models/recommender.ts";
import { modelOf } from "../../services/artifacts/artifact-store.ts";
import { excluding, SeenFilter } from "../../services/interactions/seen-filter.ts";
import { brokenRules } from "./broken-rules.ts";
import type { LaneQuery, LaneReply, LaneSetup } from "./lanes.ts";
import { processorWait } from "./processor-wait.ts";

/**
 * One version in a thread of its own. It sends one message a query, in order, so that the host sees at which query it
 * hangs and loses no other answer by killing it.
 */
const { artifact, catalogue } = workerData as LaneSetup;
const port = parentPort;
if (port === null)
  throw new Error("lane-thread runs as a worker thread only; start it through jobs/shadow/lanes.ts");

const model = modelOf(artifact);
const recommender = recommenderOf(model);
const genreFilters = new Map<string, ItemFilter>();
const waitedMs = processorWait();

/** What the model takes on a machine of its own: what others on this one take is not its doing. */
const ownTimeMs = (): number => performance.now() - waitedMs();

function genreFilter(genre: string): ItemFilter {
  const known = genreFilters.get(genre);
  if (known !== undefined) return known;
  const filter: ItemFilter = { has: (item) => catalogue.get(item)?.genres.includes(genre) ?? false };
  genreFilters.set(genre, filter);
  return filter;
}

function answer(asked: LaneQuery): LaneReply {
  const query: Query = {
    history: asked.history,
    k: asked.k,
    exclude: excluding(
      asked.exclude as readonly ItemId[],
      asked.seen === null ? null : new SeenFilter(asked.seen),
    ),
    candidates: asked.genre === undefined ? undefined : genreFilter(asked.genre),
  };
  const start = ownTimeMs();
  try {
    const list = recommender.recommend(query).items;
    const elapsedMs = Math.max(0, ownTimeMs() - start);
    const items = list.map((item) => item.itemId);
    const repeated = asked.repeat
      ? recommender
          .recommend(query)
          .items.map((item) => item.itemId)
          .join() === items.join()
      : null;
    const broken = brokenRules(model, list, query);
    return { items, elapsedMs, broken, repeated, memoryMb: memoryMb(), error: null };
  } catch (error) {
    const broken: ListFault[] = error instanceof NonFiniteScoreError ? ["non-finite-score"] : [];
    const elapsedMs = Math.max(0, ownTimeMs() - start);
    return { items: [], elapsedMs, broken, repeated: null, memoryMb: memoryMb(), error: String(error) };
  }
}

/** What this thread holds: the model, what it has built from it, the catalogue, and whatever it has kept since. */
function memoryMb(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return (heap + external + kernelMemoryBytes()) / 1e6;
}

port.on("message", (queries: readonly LaneQuery[]) => {
  for (const query of queries) port.postMessage(answer(query));
});
port.postMessage("ready");
