import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { seededRandom } from "../../models/data/random.ts";
import type { SparseRows } from "../../models/data/sparse-rows.ts";
import { ridgesOf } from "../../models/factorization/objective.ts";
import { type AlsMethod, AlsSolver } from "../../models/kernels/als-solver.ts";
import { ItemScores } from "../../models/kernels/item-scores.ts";
import { nearestNeighbours } from "../../models/kernels/neighbours.ts";
import { ScoreBounds } from "../../models/kernels/score-bounds.ts";
import { topByBounds } from "../../models/ranking/bounded-top-k.ts";
import { topK } from "../../models/ranking/ranking.ts";
import { gramOf, solveRows } from "../models/factorization/plain-als.ts";
import type { BenchData } from "./train-data.ts";

const D = 64;
/** The C++ reference holds the same two figures. */
const OBJECTIVE = { reg: 0.01, unobservedWeight: 0.3, regExponent: 1 };

/** Wall-clock seconds, and CPU seconds over all threads: the latter stand still while others use the cores. */
export interface Seconds {
  readonly wall: number;
  readonly cpu: number;
}

function secondsOf(work: () => void): Seconds {
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(cpuBegan);
  return { wall: (performance.now() - began) / 1000, cpu: (user + system) / 1e6 };
}

function startFactors(rows: number): Float32Array {
  const random = seededRandom(1);
  return new Float32Array(rows * D).map(() => (0.1 / Math.sqrt(D)) * random.normal());
}

export async function alsEpochs(
  data: BenchData,
  { method, epochs, threads }: { method: AlsMethod; epochs: number; threads: number },
): Promise<readonly Seconds[]> {
  const userRidges = ridgesOf(data.users, OBJECTIVE);
  const itemRidges = ridgesOf(data.items, OBJECTIVE);
  const settings = { d: D, unobservedWeight: OBJECTIVE.unobservedWeight, method, steps: 3, threads };
  const start = startFactors(data.items.rows);
  const solver = await AlsSolver.open({ ...data, userRidges, itemRidges }, settings, start);
  try {
    return Array.from({ length: epochs }, () =>
      secondsOf(() => {
        solver.solveUsers();
        solver.solveItems();
      }),
    );
  } finally {
    await solver.close();
  }
}

/** Every nth row of a side, the others left out. */
function everyNth(side: SparseRows, nth: number): SparseRows {
  const rows = Math.ceil(side.rows / nth);
  const starts = new Uint32Array(rows + 1);
  const columns: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let slot = side.starts[row * nth]; slot < side.starts[row * nth + 1]; slot++) {
      columns.push(side.columns[slot]);
    }
    starts[row + 1] = columns.length;
  }
  return { ...side, rows, starts, columns: Uint32Array.from(columns) };
}

/** One epoch of the readable version that the tests keep, estimated from every `nth` row of both sides. */
export function plainEpoch(data: BenchData, nth: number): Seconds {
  return estimated(data, nth, (side, fixed, ridges) => {
    const gram = gramOf(fixed, D).map((value) => value * OBJECTIVE.unobservedWeight);
    solveRows(side, fixed, gram, ridges, D, new Float32Array(side.rows * D));
  });
}

/** One epoch with ml-matrix, estimated likewise. */
export function mlMatrixEpoch(data: BenchData, nth: number): Seconds {
  return estimated(data, nth, (side, factors, ridges) => {
    const fixed = Matrix.from1DArray(side.others, D, Array.from(factors));
    const gram = fixed.transpose().mmul(fixed).mul(OBJECTIVE.unobservedWeight);
    for (let row = 0; row < side.rows; row++) {
      const columns = Array.from(side.columns.subarray(side.starts[row], side.starts[row + 1]));
      const seen = fixed.subMatrixRow(columns);
      const A = seen
        .transpose()
        .mmul(seen)
        .add(gram)
        .add(Matrix.eye(D, D, ridges[row]));
      const symmetric = A.clone().add(A.transpose()).mul(0.5);
      new CholeskyDecomposition(symmetric).solve(Matrix.columnVector(seen.sum("column")));
    }
  });
}

function estimated(
  data: BenchData,
  nth: number,
  halfSweep: (side: SparseRows, fixed: Float32Array, ridges: Float64Array) => void,
): Seconds {
  const seconds = [data.users, data.items].map((whole) => {
    const side = everyNth(whole, nth);
    const fixed = startFactors(side.others);
    const ridges = ridgesOf(side, OBJECTIVE);
    return secondsOf(() => halfSweep(side, fixed, ridges));
  });
  const sum = (of: (one: Seconds) => number): number => nth * (of(seconds[0]) + of(seconds[1]));
  return { wall: sum((one) => one.wall), cpu: sum((one) => one.cpu) };
}

export async function neighbourSeconds(users: SparseRows, threads: number): Promise<number> {
  const began = performance.now();
  await nearestNeighbours(users, { k: 100, shrinkage: 20, threads });
  return (performance.now() - began) / 1000;
}

/** Median microseconds of finding the 10 best of `items`. */
export function topItemsMicroseconds(items: number): { float32: number; int8: number; plain: number } {
  const factors = startFactors(items);
  const queries = Array.from({ length: 200 }, (_, query) => factors.subarray(query * D, (query + 1) * D));
  const scorer = new ItemScores(factors, items, D);
  const bounds = new ScoreBounds(scorer);
  const scores = new Float32Array(items);
  const any = (): boolean => true;
  const float32 = (query: Float32Array): void => {
    scorer.query.set(query);
    topK(scorer.compute(), 10, any);
  };
  const int8 = (query: Float32Array): void => {
    scorer.query.set(query);
    topByBounds(bounds.compute(), (chosen) => scorer.computeOf(chosen), 10, any);
  };
  const plain = (query: Float32Array): void => {
    for (let item = 0; item < items; item++) {
      let score = 0;
      for (let k = 0; k < D; k++) score += factors[item * D + k] * query[k];
      scores[item] = score;
    }
    topK(scores, 10, any);
  };
  const median = (find: (query: Float32Array) => void): number => {
    for (const query of queries) find(query);
    const times = queries.map((query) => 1e6 * secondsOf(() => find(query)).wall);
    return times.sort((a, b) => a - b)[times.length >> 1];
  };
  return { float32: median(float32), int8: median(int8), plain: median(plain) };
}
