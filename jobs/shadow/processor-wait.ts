import { openSync, readSync } from "node:fs";

const SCHEDSTAT = "/proc/thread-self/schedstat";
const NS_PER_MS = 1e6;

/**
 * Reads how long the calling thread has waited for a processor although it could have run, milliseconds since it began:
 * what a busy machine adds to every latency, and to that of whoever computes longest the most. Linux says so in the
 * second field of a thread's schedstat; elsewhere it is always 0.
 */
export function processorWait(): () => number {
  let file: number;
  try {
    file = openSync(SCHEDSTAT, "r");
  } catch {
    return () => 0;
  }
  const buffer = Buffer.alloc(128);
  return () => {
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return Number(buffer.toString("latin1", 0, length).split(" ")[1]) / NS_PER_MS || 0;
  };
}
