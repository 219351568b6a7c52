import assert from "node:assert/strict";
import { test } from "node:test";
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import type { SparseRows } from "../../../models/data/sparse-rows.ts";
import { type AlsSettings, AlsSolver } from "../../../models/kernels/als-solver.ts";
import { bothSides, randomFactors } from "./ragged.ts";

const REG = 0.7;
const settings: AlsSettings = { d: 3, unobservedWeight: 0.3, method: "cholesky", steps: 3, threads: 1 };
const ridgesFor = (side: SparseRows) => Float64Array.from({ length: side.rows }, (_, row) => REG + row / 7);

interface Shape {
  readonly users: number;
  readonly items: number;
  readonly d: number;
  readonly weighted: boolean;
}
const shapes: readonly Shape[] = [
  { users: 0, items: 5, d: 3, weighted: false },
  { users: 1, items: 1, d: 1, weighted: false },
  { users: 3, items: 2, d: 1, weighted: true },
  { users: 7, items: 11, d: 3, weighted: true },
  { users: 33, items: 9, d: 12, weighted: false },
  { users: 5, items: 300, d: 8, weighted: true },
  { users: 70, items: 41, d: 64, weighted: true },
  { users: 70, items: 41, d: 61, weighted: false },
];

/** The normal equations of every row, solved by ml-matrix. Shape (rows × d). */
function expectedRows(side: SparseRows, fixed: Float32Array, ridges: Float64Array, d: number): number[][] {
  const F = Matrix.from1DArray(side.others, d, Array.from(fixed));
  const gram = F.transpose().mmul(F).mul(settings.unobservedWeight);
  return Array.from({ length: side.rows }, (_, row) => {
    const A = gram.clone().add(Matrix.eye(d, d).mul(ridges[row]));
    const b = Matrix.zeros(d, 1);
    for (let slot = side.starts[row]; slot < side.starts[row + 1]; slot++) {
      const f = F.getRowVector(side.columns[slot]);
      const weight = side.weights === null ? 1 : side.weights[slot];
      A.add(f.transpose().mmul(f).mul(weight));
      b.add(f.transpose().mul(weight));
    }
    const symmetric = A.clone().add(A.transpose()).mul(0.5);
    return new CholeskyDecomposition(symmetric).solve(b).to1DArray();
  });
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let k = 0; k < expected.length; k++) {
    assert.ok(
      Math.abs(actual[k] - expected[k]) <= tolerance * (1 + Math.abs(expected[k])),
      `value ${k}: expected ${expected[k]}, got ${actual[k]}`,
    );
  }
}

for (const { users, items, d, weighted } of shapes) {
  const name = `${users} users × ${items} items, d = ${d}, ${weighted ? "weighted" : "unweighted"}`;

  test(`exact rows equal ml-matrix's Cholesky solution: ${name}`, async () => {
    const sides = bothSides(users, items, weighted);
    const userRidges = ridgesFor(sides.users);
    const itemRidges = ridgesFor(sides.items);
    const start = randomFactors(items, d);
    const solver = await AlsSolver.open({ ...sides, userRidges, itemRidges }, { ...settings, d }, start);
    solver.solveUsers();
    const userFactors = solver.userFactors();
    assertClose(userFactors, expectedRows(sides.users, start, userRidges, d).flat(), 2e-4);
    solver.solveItems();
    assertClose(solver.itemFactors(), expectedRows(sides.items, userFactors, itemRidges, d).flat(), 2e-4);
    const V = Matrix.from1DArray(items, d, Array.from(solver.itemFactors()));
    assertClose(solver.itemGram(), V.transpose().mmul(V).to1DArray(), 1e-4);
    await solver.close();
  });

  test(`enough conjugate gradient steps reach the exact rows: ${name}`, async () => {
    const sides = bothSides(users, items, weighted);
    const ridges = { userRidges: ridgesFor(sides.users), itemRidges: ridgesFor(sides.items) };
    const start = randomFactors(items, d);
    const solver = await AlsSolver.open(
      { ...sides, ...ridges },
      { ...settings, d, method: "conjugate-gradient", steps: 3 * d + 10 },
      start,
    );
    solver.solveUsers();
    const expected = expectedRows(sides.users, start, ridges.userRidges, d).flat();
    assertClose(solver.userFactors(), expected, 3e-3);
    await solver.close();
  });
}

for (const method of ["cholesky", "conjugate-gradient"] as const) {
  test(`${method}: the loss from what the items explain is the loss summed cell by cell`, async () => {
    const d = 5;
    const sides = bothSides(13, 10, true);
    const userRidges = ridgesFor(sides.users);
    const itemRidges = ridgesFor(sides.items);
    const solver = await AlsSolver.open(
      { ...sides, userRidges, itemRidges },
      { ...settings, d, method },
      randomFactors(10, d),
    );
    solver.solveUsers();
    solver.solveItems();
    solver.solveUsers();
    const explained = solver.solveItems();
    const U = Matrix.from1DArray(13, d, Array.from(solver.userFactors()));
    const V = Matrix.from1DArray(10, d, Array.from(solver.itemFactors()));
    const scores = U.mmul(V.transpose());
    let mass = 0;
    let loss = 0;
    for (let u = 0; u < 13; u++) {
      for (let i = 0; i < 10; i++) loss += settings.unobservedWeight * scores.get(u, i) ** 2;
      for (let slot = sides.users.starts[u]; slot < sides.users.starts[u + 1]; slot++) {
        const weight = sides.users.weights?.[slot] ?? 1;
        mass += weight;
        loss += weight * (1 - scores.get(u, sides.users.columns[slot])) ** 2;
      }
    }
    for (let i = 0; i < 10; i++) loss += itemRidges[i] * V.getRowVector(i).norm("frobenius") ** 2;
    assertClose([mass - explained], [loss], 1e-4);
    let penalty = 0;
    for (let u = 0; u < 13; u++) penalty += userRidges[u] * U.getRowVector(u).norm("frobenius") ** 2;
    assertClose([solver.userPenalty(userRidges)], [penalty], 1e-5);
    await solver.close();
  });

  test(`${method}: a weight that is no number spoils no other row, and shows in what is explained`, async () => {
    const sides = bothSides(9, 7, true);
    const user = 4;
    const weights = sides.users.weights?.slice() ?? new Float32Array(0);
    weights[sides.users.starts[user]] = Number.NaN;
    const users = { ...sides.users, weights };
    const ridges = { userRidges: ridgesFor(users), itemRidges: ridgesFor(sides.items) };
    const start = randomFactors(7, 4);
    const solver = await AlsSolver.open(
      { users, items: sides.items, ...ridges },
      { ...settings, d: 4, method },
      start,
    );
    assert.ok(Number.isNaN(solver.solveUsers()));
    const factors = solver.userFactors();
    for (let row = 0; row < 9; row++) {
      const finite = factors.subarray(row * 4, row * 4 + 4).every(Number.isFinite);
      if (row !== user) assert.ok(finite, `row ${row}`);
    }
    await solver.close();
  });

  test(`${method}: one, two and three threads give the same bits`, async () => {
    const sides = bothSides(5000, 90, true);
    const ridges = { userRidges: ridgesFor(sides.users), itemRidges: ridgesFor(sides.items) };
    const results: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      const solver = await AlsSolver.open(
        { ...sides, ...ridges },
        { ...settings, d: 6, method, threads },
        randomFactors(90, 6),
      );
      solver.solveUsers();
      solver.solveItems();
      results.push(solver.itemFactors());
      await solver.close();
    }
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });
}
