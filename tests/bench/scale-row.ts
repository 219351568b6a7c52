import { parseArgs } from "node:util";
import { forgetPeakMemory, peakMemoryMb } from "../../jobs/training/peak-memory.ts";
import { syntheticRows } from "./train-data.ts";
import { alsEpochs, neighbourSeconds } from "./train-engines.ts";

/**
 * node dist/tests/bench/scale-row.js --interactions N: one row of the table of train.ts as JSON, in a process of its own,
 * so that no row pays for the memory of another. Users and items grow in the proportions of MovieLens 20M.
 */
const { values } = parseArgs({ options: { interactions: { type: "string", default: "1000000" } } });

const THREADS = 2;
const EPOCHS = 2;

export interface ScaleRow {
  readonly interactions: number;
  readonly users: number;
  readonly items: number;
  /** Wall-clock seconds of the best epoch. */
  readonly exact: number;
  readonly fast: number;
  readonly alsMb: number;
  readonly neighbours: number;
  readonly neighboursMb: number;
}

const wanted = Number(values.interactions);
const users = Math.round(wanted / 145);
const items = Math.round(wanted / 740);
const data = syntheticRows(users, items, wanted);
const best = async (method: "cholesky" | "conjugate-gradient"): Promise<number> => {
  const epochs = await alsEpochs(data, { method, epochs: EPOCHS, threads: THREADS });
  return Math.min(...epochs.map(({ wall }) => wall));
};
const exact = await best("cholesky");
const fast = await best("conjugate-gradient");
const alsMb = peakMemoryMb();
forgetPeakMemory();
const neighbours = await neighbourSeconds(data.users, THREADS);
const row: ScaleRow = {
  interactions: data.users.columns.length,
  users,
  items,
  exact,
  fast,
  alsMb,
  neighbours,
  neighboursMb: peakMemoryMb(),
};
console.log(JSON.stringify(row));
