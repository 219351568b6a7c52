import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { peakMemoryMb } from "../../jobs/training/peak-memory.ts";
import type { ImportRow } from "./import.ts";
import { compileReference, referenceEpochs } from "./reference.ts";
import type { ScaleRow } from "./scale-row.ts";
import { syntheticRows } from "./train-data.ts";
import {
  alsEpochs,
  mlMatrixEpoch,
  neighbourSeconds,
  plainEpoch,
  type Seconds,
  topItemsMicroseconds,
} from "./train-engines.ts";

/**
 * npm run bench:train                  engines side by side on one data set, then how cost grows: 1M, 5M, 20M events
 * npm run bench:train -- --huge        the same and 100M, an hour on two busy cores
 * npm run bench:train -- --engines     the first part alone; --scale the second
 * Other work on the machine moves every figure of a run: compare the ratios, those of the CPU seconds first.
 */
const { values } = parseArgs({
  options: {
    engines: { type: "boolean", default: false },
    scale: { type: "boolean", default: false },
    huge: { type: "boolean", default: false },
    epochs: { type: "string", default: "7" },
  },
});

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];
const wall = (epochs: readonly Seconds[]): number => middle(epochs.map((epoch) => epoch.wall));
const best = (epochs: readonly Seconds[]): number => Math.min(...epochs.map((epoch) => epoch.wall));
const cpu = (epochs: readonly Seconds[]): number => middle(epochs.map((epoch) => epoch.cpu));
const print = (...cells: readonly (string | number)[]): void => {
  const [first, ...rest] = cells.map(String);
  console.log(first.padEnd(44) + rest.map((cell) => cell.padStart(12)).join(""));
};

if (!values.scale) await sideBySide(Number(values.epochs));
if (!values.engines) scale();

async function sideBySide(epochs: number): Promise<void> {
  const data = syntheticRows(6040, 3700, 989_000);
  const interactions = data.users.columns.length;
  console.log(`ALS, 6,040 users × 3,700 items, ${interactions.toLocaleString("en")} interactions, d = 64\n`);
  print("engine", "threads", "wall s", "best wall s", "CPU s", "× C++ CPU", "× C++ best");
  const program = compileReference();
  if (program === null) console.log("no g++ found: no C++ reference in this run");
  for (const threads of [1, 2]) {
    // The engines take turns, so that whatever else the machine does touches them alike.
    const reference: Seconds[] = [];
    const exact: Seconds[] = [];
    const fast: Seconds[] = [];
    for (let round = 0; round < 3; round++) {
      if (program !== null) reference.push(...referenceEpochs(program, data, epochs, threads));
      exact.push(...(await alsEpochs(data, { method: "cholesky", epochs, threads })));
      fast.push(...(await alsEpochs(data, { method: "conjugate-gradient", epochs, threads })));
    }
    const row = (engine: string, seconds: readonly Seconds[]): void => {
      const ratios = program === null ? [] : [cpu(seconds) / cpu(reference), best(seconds) / best(reference)];
      const times = [wall(seconds), best(seconds), cpu(seconds)].map((value) => value.toFixed(3));
      print(engine, threads, ...times, ...ratios.map((ratio) => ratio.toFixed(2)));
    };
    if (program !== null) row("C++ -O3 AVX2, exact blocked Cholesky", reference);
    row("kernels, exact blocked Cholesky", exact);
    row("kernels, 3 steps of conjugate gradients", fast);
  }
  const plain = plainEpoch(data, 10);
  print("plain JavaScript, exact (10th row × 10)", 1, plain.wall.toFixed(2), "", plain.cpu.toFixed(2));
  const library = mlMatrixEpoch(data, 20);
  print("ml-matrix, exact (20th row × 20)", 1, library.wall.toFixed(2), "", library.cpu.toFixed(2));

  console.log("\nitem neighbours, k = 100");
  for (const threads of [1, 2]) {
    print("kernels, exact cosine", threads, (await neighbourSeconds(data.users, threads)).toFixed(3));
  }
  console.log("\ntop 10 of all items, d = 64, one thread");
  print("items", "", "f32 µs", "int8 µs", "plain µs");
  for (const items of [10_000, 60_000]) {
    const { float32, int8, plain } = topItemsMicroseconds(items);
    print(items.toLocaleString("en"), "", float32.toFixed(0), int8.toFixed(0), plain.toFixed(0));
  }
  console.log(`\npeak memory of this part ${peakMemoryMb().toFixed(0)} MB\n`);
}

/** Every figure from a process of its own, so that none pays for the memory of another. */
function scale(): void {
  const sizes = values.huge ? [1e6, 5e6, 20e6, 100e6] : [1e6, 5e6, 20e6];
  const heads = ["import s", "MB", "ALS s", "CG s", "MB", "kNN s", "MB"];
  scaleRow("interactions", ["users", "items", ...heads]);
  for (const size of sizes) {
    const imported = inItsOwnProcess<ImportRow>("import.js", ["--json", "--rows", String(size)]);
    const trained = inItsOwnProcess<ScaleRow>("scale-row.js", ["--interactions", String(size)]);
    const { interactions, users, items, exact, fast, alsMb, neighbours, neighboursMb } = trained;
    scaleRow(interactions.toLocaleString("en"), [
      users.toLocaleString("en"),
      items.toLocaleString("en"),
      imported.total.toFixed(1),
      imported.peakMb.toFixed(0),
      exact.toFixed(2),
      fast.toFixed(2),
      alsMb.toFixed(0),
      neighbours.toFixed(1),
      neighboursMb.toFixed(0),
    ]);
  }
  console.log(
    "\nALS and CG: seconds an epoch, d = 64, best of 2; kNN: k = 100; both on 2 threads, memory with their data.",
  );
  console.log("goals at 20M: import 10 s, ALS 4 s, kNN 60 s, 3,000 MB");
}

function scaleRow(first: string, rest: readonly string[]): void {
  console.log(first.padStart(13) + rest.map((cell) => cell.padStart(10)).join(""));
}

function inItsOwnProcess<Row>(script: string, words: readonly string[]): Row {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const output = execFileSync(process.execPath, [path, ...words], { encoding: "utf8" });
  return JSON.parse(output) as Row;
}
