/** Proves by simulation that the gate is honest: `npm run prove-gate`, `npm run prove-gate -- --long`. */
import Table from "cli-table3";
import type { Proof } from "./prove-gate/proof.ts";
import { LONG, proofs, SHORT } from "./prove-gate/proofs.ts";

const size = process.argv.includes("--long") ? LONG : SHORT;
const done: Proof[] = [];
for (const proof of proofs(size)) {
  done.push(proof);
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done.length} ${proof.what}`);
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

const table = new Table({ head: ["what", "must hold", "obtained", "ok"], style: { head: [], border: [] } });
for (const { what, mustHold, obtained, ok } of done)
  table.push([what, mustHold, obtained, ok ? "ok" : "FAILED"]);
const failed = done.filter(({ ok }) => !ok).length;
process.stdout.write(`${table.toString()}\n`);
process.stdout.write(failed === 0 ? "The gate is honest.\n" : `${failed} of ${done.length} proofs FAILED.\n`);
process.exitCode = failed === 0 ? 0 : 1;
