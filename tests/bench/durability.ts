/**
 * How many acknowledged events a killed Redis loses: `node dist/tests/bench/durability.js [EVENTS] [KILLS]`. An event counts
 * as lost when it was acknowledged and the stream does not hold it.
 */
import { killedAppending } from "../support/killed-appending.ts";

const events = Number(process.argv[2] ?? 50_000);
const kills = Number(process.argv[3] ?? 85);

for (const fsync of ["everysec", "always"]) {
  const { acknowledged, lost } = await killedAppending(fsync, events, kills);
  console.log(`appendfsync ${fsync}: ${acknowledged} events acknowledged, ${kills} kills -9, ${lost} lost`);
}
