/**
 * The table of the faults that the service survives (deploy/FAULTS.md), with what was measured of them here and now, on
 * real processes. Takes some minutes; figures of time are worth what else the machine does.
 * Run: npm run bench:faults [-- F1 F18 …]
 */
import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import type { Figures } from "./faults/figures.ts";
import { jobsSurvive } from "./faults/jobs-survive.ts";
import { overloaded, rolledBack } from "./faults/other-benches.ts";
import { redisAway } from "./faults/redis-away.ts";
import { slowClients } from "./faults/slow-clients.ts";
import { toldToStop } from "./faults/told-to-stop.ts";

const MEASURES: readonly (readonly [readonly string[], () => Promise<Figures>])[] = [
  [["F1", "F3"], redisAway],
  [["F2", "F5", "F27"], jobsSurvive],
  [["F14", "F21"], slowClients],
  [["F17", "F22"], toldToStop],
  [["F16", "F19"], rolledBack],
  [["F18"], overloaded],
];

const wanted = process.argv.slice(2);
const isWanted = (fault: string): boolean => wanted.length === 0 || wanted.includes(fault);
const page = await readFile(new URL("../../../deploy/FAULTS.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| F\d+ /.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

console.log(`the machine's load is ${loadavg()[0].toFixed(1)}`);
const figures: Record<string, string> = {};
for (const [faults, measure] of MEASURES) {
  if (!faults.some(isWanted)) continue;
  Object.assign(
    figures,
    await measure().catch((error: Error) =>
      Object.fromEntries(faults.map((fault) => [fault, `not measured: ${error.message}`])),
    ),
  );
  for (const fault of faults) console.log(`${fault}: ${figures[fault]}`);
}
console.log(`the machine's load is ${loadavg()[0].toFixed(1)}\n`);
for (const [, fault, what, mustHold, , tests] of rows) {
  if (!isWanted(fault)) continue;
  console.log(`${fault} ${what}`);
  console.log(`  must hold: ${mustHold}`);
  if (figures[fault] !== undefined) console.log(`  measured:  ${figures[fault]}`);
  console.log(`  asserted:  ${tests.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")}`);
}
