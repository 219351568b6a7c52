import Table from "cli-table3";
import { signed } from "../../../models/evaluation/signed.ts";
import {
  type Quantiles,
  REAL_ALPHA,
  REAL_PAIRS,
  REAL_RECIPES,
  realFigures,
  realNull,
  realPower,
} from "./real-users.ts";

/** Prints how many real users a verdict needs; resolves to whether it is at most what the design promises. */
export async function printUsersTable(folder: string, k: number, runs: number): Promise<boolean> {
  const figures = await realFigures(folder, k);
  const users = figures[REAL_RECIPES[0]].length;
  const table = new Table({
    head: [
      "challenger > baseline",
      "lift",
      "gauss",
      "first design",
      "no holdout",
      "now",
      "design",
      "at lift = δ",
    ],
    style: { head: [], border: [] },
  });
  let ok = true;
  for (const pair of REAL_PAIRS) {
    const { lift, gauss, first, blind, now } = realPower(figures, pair, runs);
    const size = { runs: 2 * runs, users: 1000 };
    const promoted = realNull(figures, pair, size);
    const error = 3 * Math.sqrt((REAL_ALPHA * (1 - REAL_ALPHA)) / size.runs);
    ok &&= promoted <= REAL_ALPHA + error;
    table.push([
      `${pair.challenger} > ${pair.baseline}`,
      signed(lift),
      Math.round(gauss),
      text(first),
      text(blind),
      text(now),
      pair.design,
      `${(100 * promoted).toFixed(1)} % promoted`,
    ]);
  }
  process.stdout.write(
    `${users} users, nDCG@${k}, α = ${REAL_ALPHA}; users until proof, median / 80 %, over ${runs} resamplings\n${table.toString()}\n`,
  );
  return ok;
}

const text = ({ median, p80 }: Quantiles): string => `${median} / ${p80}`;
