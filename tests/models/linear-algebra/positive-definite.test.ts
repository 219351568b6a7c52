import assert from "node:assert/strict";
import { test } from "node:test";
import { inverse, Matrix, solve } from "ml-matrix";
import { seededRandom } from "../../../models/data/random.ts";
import { KernelPool } from "../../../models/kernels/pool.ts";
import { PanelMatrix } from "../../../models/linear-algebra/panel-matrix.ts";
import { invert, solve as solveSystem } from "../../../models/linear-algebra/positive-definite.ts";

/** Sizes below, at and past one block of 64, past one chunk of 128 columns, and ragged ones. */
const SIZES = [1, 3, 63, 64, 65, 130, 200, 321];

function randomMatrix(size: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return new Matrix(Array.from({ length: size }, () => Array.from({ length: size }, () => random.normal())));
}

function definiteMatrix(size: number): Matrix {
  const random = randomMatrix(size, size);
  return random.mmul(random.transpose()).add(Matrix.eye(size).mul(size));
}

function inPanels(pool: KernelPool, matrix: Matrix): PanelMatrix {
  const panels = new PanelMatrix(pool.arena, matrix.rows);
  matrix.to2DArray().forEach((values, row) => {
    for (const [column, value] of values.entries()) panels.add(row, column, value);
  });
  return panels;
}

function valuesOf(panels: PanelMatrix): Float32Array[] {
  return Array.from({ length: panels.size }, (_, column) => {
    const values = new Float32Array(panels.size);
    panels.readColumn(column, values);
    return values;
  });
}

/** Largest difference over the largest entry: float32 keeps seven digits, the condition number of A takes some. */
function assertClose(actual: PanelMatrix, expected: Matrix): void {
  const largest = Math.max(...expected.to1DArray().map(Math.abs));
  for (const [column, values] of valuesOf(actual).entries()) {
    for (const [row, value] of values.entries()) {
      const difference = (value - expected.get(row, column)) / largest;
      assert.ok(Math.abs(difference) < 2e-6, `(${row}, ${column}) is off by ${difference}`);
    }
  }
}

async function withPool<T>(threads: number, work: (pool: KernelPool) => T): Promise<T> {
  const pool = await KernelPool.open(threads, () => 0);
  try {
    return work(pool);
  } finally {
    await pool.close();
  }
}

for (const size of SIZES) {
  const definite = definiteMatrix(size);

  test(`the inverse of a ${size} × ${size} matrix agrees with ml-matrix`, async () => {
    await withPool(1, (pool) => assertClose(invert(pool, inPanels(pool, definite)), inverse(definite)));
  });

  test(`the solution of ${size} equations agrees with ml-matrix`, async () => {
    const sides = randomMatrix(size, size + 1);
    await withPool(1, (pool) => {
      const panels = inPanels(pool, sides);
      solveSystem(pool, inPanels(pool, definite), panels);
      assertClose(panels, solve(definite, sides));
    });
  });
}

test("only the upper triangle of the matrix is read", async () => {
  const definite = definiteMatrix(130);
  const upper = definite.clone();
  for (let row = 0; row < 130; row++)
    for (let column = 0; column < row; column++) upper.set(row, column, 1e9);
  await withPool(1, (pool) => assertClose(invert(pool, inPanels(pool, upper)), inverse(definite)));
});

test("one, two and three threads give the same bits", async () => {
  const definite = definiteMatrix(321);
  const sides = randomMatrix(321, 5);
  const results = [];
  for (const threads of [1, 2, 3]) {
    results.push(
      await withPool(threads, (pool) => {
        const panels = inPanels(pool, sides);
        solveSystem(pool, inPanels(pool, definite), panels);
        return [valuesOf(panels), valuesOf(invert(pool, inPanels(pool, definite)))];
      }),
    );
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});

test("a matrix that is not positive definite is refused with the remedy", async () => {
  const indefinite = new Matrix([
    [1, 2],
    [2, 1],
  ]);
  await assert.rejects(
    withPool(1, (pool) => invert(pool, inPanels(pool, indefinite))),
    /positive definite.*row 1.*larger reg/,
  );
});
