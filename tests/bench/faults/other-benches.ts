import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Figures } from "./figures.ts";

const run = promisify(execFile);

/** What another bench prints, run short. */
async function linesOf(file: string, ...words: readonly string[]): Promise<string[]> {
  const path = fileURLToPath(new URL(`../${file}.js`, import.meta.url));
  const { stdout } = await run(process.execPath, [path, ...words]);
  return stdout.split("\n").map((line) => line.trim().replaceAll(/ {2,}/g, " "));
}

const beginning = (lines: readonly string[], word: string): string[] =>
  lines.filter((line) => line.startsWith(word));

/** F18, by `bench:overload`. */
export async function overloaded(): Promise<Figures> {
  const medians = beginning(await linesOf("overload", "10000", "3", "als", "1"), "medians, ");
  return { F18: medians.map((line) => line.slice("medians, ".length)).join("; ") };
}

/** F16 and F19, by `bench:rollback`. */
export async function rolledBack(): Promise<Figures> {
  const lines = await linesOf("rollback", "100", "20");
  const [swift, deaf] = beginning(lines, "rollback followed");
  const [repeats] = beginning(lines, "repeated");
  const [statuses] = beginning(lines, "replies by status");
  return { F16: deaf, F19: `${swift}; ${repeats}; ${statuses}` };
}
