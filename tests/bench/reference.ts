import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchData } from "./train-data.ts";
import type { Seconds } from "./train-engines.ts";

const folder = mkdtempSync(join(tmpdir(), "phasewise-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Compiles the C++ reference; null where there is no g++ (or no x86 with AVX2). */
export function compileReference(): string | null {
  const program = join(folder, "als");
  const flags = ["-O3", "-mavx2", "-mfma", "-ffast-math", "-pthread"];
  const { status } = spawnSync("g++", [...flags, "tests/bench/reference/als.cpp", "-o", program], {
    stdio: "ignore",
  });
  return status === 0 ? program : null;
}

/** Each epoch of the reference on `data`. */
export function referenceEpochs(
  program: string,
  data: BenchData,
  epochs: number,
  threads: number,
): readonly Seconds[] {
  const file = join(folder, "data.bin");
  const { users, items } = data;
  const head = Uint32Array.of(users.rows, items.rows, users.columns.length);
  const parts = [head, users.starts, users.columns, items.starts, items.columns];
  writeFileSync(file, Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, 0, part.byteLength))));
  const output = execFileSync(program, [file, String(epochs), String(threads)], { encoding: "utf8" });
  const lines = output.trim().split("\n").slice(0, epochs);
  return lines.map((line) => {
    const [wall, cpu] = line.split(" ").map(Number);
    return { wall, cpu };
  });
}
