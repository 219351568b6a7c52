import Table from "cli-table3";
import { signed } from "../../../models/evaluation/signed.ts";
import { climb } from "./climbs.ts";
import {
  type Quantiles,
  REAL_ALPHA,
  REAL_PAIRS,
  REAL_RECIPES,
  type RealFigures,
  realFigures,
  realHarm,
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
  const harm = realHarm(figures, runs);
  process.stdout.write(
    `Planted harm, lists that nobody wants: popularity is back after ${text(harm.now)} users; the first design took ${text(harm.first)}.\n`,
  );
  printClimbs(figures);
  return ok;
}

const ORDERS = 100;

/** All pairs at once, the same users in random orders: when rung 1 is left, and where the climb ends. */
function printClimbs(figures: RealFigures): void {
  const climbs = Array.from({ length: ORDERS }, (_, seed) => climb(figures, seed));
  const left = Float64Array.from(
    climbs,
    (steps) => steps.find(({ version }) => isAboveRung1(version))?.users ?? Number.POSITIVE_INFINITY,
  ).sort();
  const ends = new Map<string, number>();
  for (const steps of climbs) {
    const end = steps.at(-1)?.version ?? REAL_RECIPES[0];
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const told = [...ends].sort((a, b) => b[1] - a[1]).map(([version, count]) => `${version} ${count}`);
  process.stdout.write(
    `All pairs from the start, ${ORDERS} random orders: rung 1 is left after ${left[Math.floor(0.5 * ORDERS)]} users (median; ${left[Math.floor(0.95 * ORDERS)]} at 95 %); ends on ${told.join(", ")}.\n`,
  );
}

function isAboveRung1(version: string): boolean {
  return version !== "popularity" && version !== "popular-lately";
}

const text = ({ median, p80 }: Quantiles): string => `${median} / ${p80}`;
