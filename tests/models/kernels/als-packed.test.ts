import assert from "node:assert/strict";
import { test } from "node:test";
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { seededRandom } from "../../../models/data/random.ts";
import { type SparseRows, transposed } from "../../../models/data/sparse-rows.ts";
import { AlsSolver } from "../../../models/kernels/als-solver.ts";
import { Arena } from "../../../models/kernels/arena.ts";
import { instantiate, kernelModule } from "../../../models/kernels/wasm.ts";

/** Rows of 16 interactions and more are summed in 16-bit integers and refined: here, how near that comes. */
const D = 24;
const UNOBSERVED = 0.1;
const settings = { d: D, unobservedWeight: UNOBSERVED, method: "cholesky", steps: 0, threads: 1 } as const;

/** `lengths[row]` columns of `others`, drawn without repeats. */
function rowsOf(lengths: readonly number[], others: number, weighted: boolean): SparseRows {
  const random = seededRandom(4);
  const starts = new Uint32Array(lengths.length + 1);
  const columns: number[] = [];
  for (const [row, length] of lengths.entries()) {
    const all = Array.from({ length: others }, (_, column) => ({ column, place: random.next() }));
    all.sort((a, b) => a.place - b.place);
    columns.push(...all.slice(0, length).map(({ column }) => column));
    starts[row + 1] = columns.length;
  }
  const weights = weighted ? Float32Array.from(columns, () => 0.05 + 3 * random.next()) : null;
  return { rows: lengths.length, others, starts, columns: Uint32Array.from(columns), weights };
}

/** |b − A·x| / |b| of each row, in float64. */
function relativeResiduals(
  side: SparseRows,
  fixed: Float32Array,
  ridge: number,
  solved: Float32Array,
): number[] {
  const F = Matrix.from1DArray(side.others, D, Array.from(fixed));
  const gram = F.transpose().mmul(F).mul(UNOBSERVED);
  return Array.from({ length: side.rows }, (_, row) => {
    const x = Matrix.columnVector(Array.from(solved.subarray(row * D, (row + 1) * D)));
    const residual = gram.mmul(x).add(x.clone().mul(ridge)).mul(-1);
    const b = Matrix.zeros(D, 1);
    for (let slot = side.starts[row]; slot < side.starts[row + 1]; slot++) {
      const f = F.getRowVector(side.columns[slot]).transpose();
      const weight = side.weights === null ? 1 : side.weights[slot];
      b.add(f.clone().mul(weight));
      residual.add(f.mul(weight * (1 - f.dot(x))));
    }
    return residual.norm("frobenius") / b.norm("frobenius");
  });
}

async function solveUsers(users: SparseRows, fixed: Float32Array, ridge: number): Promise<Float32Array> {
  const userRidges = new Float64Array(users.rows).fill(ridge);
  const itemRidges = new Float64Array(users.others).fill(ridge);
  const sides = { users, items: transposed(users), userRidges, itemRidges };
  const solver = await AlsSolver.open(sides, settings, fixed);
  try {
    solver.solveUsers();
    return solver.userFactors();
  } finally {
    await solver.close();
  }
}

function normalFactors(rows: number): Float32Array {
  const random = seededRandom(9);
  return Float32Array.from({ length: rows * D }, () => random.normal());
}

// Around the shortest packed row, odd and even, within one panel of 192, at its end and over several.
const LENGTHS = [15, 16, 17, 31, 96, 191, 192, 193, 384, 401, 900];

for (const weighted of [false, true]) {
  test(`${weighted ? "weighted" : "unweighted"} rows of every length leave what float32 leaves`, async () => {
    const users = rowsOf(LENGTHS, 900, weighted);
    const fixed = normalFactors(900);
    const residuals = relativeResiduals(users, fixed, 2, await solveUsers(users, fixed, 2));
    for (const [row, residual] of residuals.entries()) {
      assert.ok(residual < 2e-6, `${LENGTHS[row]} interactions leave ${residual}`);
    }
  });
}

/** One row over all of `fixed`, packed if `largest` is not 0. */
function solvedRow(fixed: Float32Array, ridge: number, largest: number): Float32Array {
  const items = fixed.length / D;
  const arena = new Arena();
  const kernels = instantiate(kernelModule(), arena.memory);
  const gram = arena.floats(D * D);
  for (let item = 0; item < items; item++) {
    for (let i = 0; i < D; i++) {
      for (let j = 0; j < D; j++) gram[i * D + j] += UNOBSERVED * fixed[item * D + i] * fixed[item * D + j];
    }
  }
  const scratch = arena.bytes(kernels.alsScratchBytes(D)).byteOffset;
  const starts = arena.wordsOf(Uint32Array.of(0, items)).byteOffset;
  const columns = arena.wordsOf(Uint32Array.from({ length: items }, (_, item) => item)).byteOffset;
  const factors = arena.floatsOf(fixed).byteOffset;
  const ridges = arena.floatsOf(Float32Array.of(ridge)).byteOffset;
  const solved = arena.floats(D);
  const outputs = [solved.byteOffset, arena.floats(1).byteOffset];
  const inputs = [starts, columns, 0, factors, gram.byteOffset, ridges];
  kernels.alsCholesky(0, 1, scratch, ...inputs, ...outputs, D, largest);
  return solved;
}

test("a row is packed only where packed sums lead to what float32 leaves", () => {
  const even = normalFactors(200);
  // One item ten thousand times the others: in its units, all others would round to nothing.
  const uneven = normalFactors(200);
  for (let k = 0; k < D; k++) uneven[5 * D + k] *= 1e4;
  const largest = (values: Float32Array) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.notDeepEqual(solvedRow(even, 2, largest(even)), solvedRow(even, 2, 0));
  assert.deepEqual(solvedRow(uneven, 2, largest(uneven)), solvedRow(uneven, 2, 0));
  assert.deepEqual(solvedRow(even, 2, Number.NaN), solvedRow(even, 2, 0));
});

test("equal factors, and factors that are all zero, are solved like any other", async () => {
  const users = rowsOf([40, 200], 300, false);
  for (const value of [0, 1]) {
    const fixed = new Float32Array(300 * D).fill(value);
    const solved = await solveUsers(users, fixed, 2);
    const F = Matrix.from1DArray(300, D, Array.from(fixed));
    const gram = F.transpose().mmul(F);
    for (const [row, n] of [40, 200].entries()) {
      const A = gram
        .clone()
        .mul(UNOBSERVED)
        .add(Matrix.ones(D, D).mul(value * n))
        .add(Matrix.eye(D, D, 2));
      const expected = new CholeskyDecomposition(A).solve(Matrix.ones(D, 1).mul(value * n)).to1DArray();
      for (let k = 0; k < D; k++) assert.ok(Math.abs(solved[row * D + k] - expected[k]) < 1e-5);
    }
  }
});
