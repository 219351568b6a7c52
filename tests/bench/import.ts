import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { forgetPeakMemory, peakMemoryMb } from "../../jobs/training/peak-memory.ts";
import { importInteractions } from "../../services/interactions/import/import.ts";
import { writeRatings } from "./ratings-file.ts";

/**
 * npm run bench:import [-- --rows 1000000,5000000,20000000 --json]
 * Reads a generated ratings.csv in the proportions and the row order of MovieLens (user by user, times scattered
 * over ten years) into a time-ordered log: seconds of each stage, and the peak memory of the process.
 */
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000,5000000,20000000" },
    json: { type: "boolean", default: false },
  },
});

export interface ImportRow {
  readonly rows: number;
  readonly csvMb: number;
  /** Seconds of reading and of putting the events in order, and their sum. */
  readonly read: number;
  readonly order: number;
  readonly total: number;
  /** Largest resident set meanwhile, MB. */
  readonly peakMb: number;
}

const cells = (...row: readonly (string | number)[]): void =>
  console.log(row.map((cell) => String(cell).padStart(14)).join(""));
if (!values.json) cells("rows", "CSV MB", "read s", "order s", "total s", "peak MB");
for (const rows of values.rows.split(",").map(Number)) {
  const folder = await mkdtemp(join(tmpdir(), "phasewise-import-"));
  try {
    const file = join(folder, "ratings.csv");
    await writeRatings(file, rows);
    forgetPeakMemory();
    const start = performance.now();
    let ordering = start;
    await importInteractions(folder, {
      now: Date.now(),
      onProgress: ({ message }) => {
        if (message.startsWith("putting")) ordering = performance.now();
      },
    });
    const end = performance.now();
    const [read, order, total] = [ordering - start, end - ordering, end - start].map((ms) => ms / 1000);
    const csvMb = Math.round((await stat(file)).size / 1e6);
    const row: ImportRow = { rows, csvMb, read, order, total, peakMb: Math.round(peakMemoryMb()) };
    if (values.json) console.log(JSON.stringify(row));
    else {
      const seconds = [read, order, total].map((value) => value.toFixed(1));
      cells(rows.toLocaleString("en"), csvMb, ...seconds, row.peakMb);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
