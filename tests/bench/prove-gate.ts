/**
 * Proves by simulation that the gate is honest: `npm run prove-gate`, `npm run prove-gate -- --long`.
 * `-- --users [--data DIR] [--depth 50]` resamples the real users of a data set (PHASEWISE_DATA) instead, and prints how
 * many of them a verdict needs.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import type { Proof } from "./prove-gate/proof.ts";
import { LONG, proofs, SHORT } from "./prove-gate/proofs.ts";
import { printUsersTable } from "./prove-gate/users-table.ts";

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    users: { type: "boolean", default: false },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
    depth: { type: "string", default: "10" },
  },
});
process.exitCode = (values.users ? await realUsers() : simulate()) ? 0 : 1;

async function realUsers(): Promise<boolean> {
  if (values.data === "") throw new Error("prove-gate --users needs --data DIR or PHASEWISE_DATA");
  return printUsersTable(values.data, Number(values.depth), values.long ? 1000 : 200);
}

function simulate(): boolean {
  const done: Proof[] = [];
  for (const proof of proofs(values.long ? LONG : SHORT)) {
    done.push(proof);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done.length} ${proof.what}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const table = new Table({ head: ["what", "must hold", "obtained", "ok"], style: { head: [], border: [] } });
  for (const { what, mustHold, obtained, ok } of done)
    table.push([what, mustHold, obtained, ok ? "ok" : "FAILED"]);
  const failed = done.filter(({ ok }) => !ok).length;
  process.stdout.write(`${table.toString()}\n`);
  process.stdout.write(
    failed === 0 ? "The gate is honest.\n" : `${failed} of ${done.length} proofs FAILED.\n`,
  );
  return failed === 0;
}
