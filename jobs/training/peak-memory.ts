import { writeFileSync } from "node:fs";

/** Written here, the Linux kernel forgets the largest resident set so far (proc(5), clear_refs). */
const FORGET = { file: "/proc/self/clear_refs", value: "5" };

/**
 * Begins the record of the largest resident set anew: training processes are used again, and the next model must not be
 * charged for the last one. Where the kernel has no such switch the record is that of the whole process.
 */
export function forgetPeakMemory(): void {
  try {
    writeFileSync(FORGET.file, FORGET.value);
  } catch {
    // Not Linux, or not allowed: the figure errs upwards.
  }
}

/** Largest resident set since `forgetPeakMemory`, MB. */
export function peakMemoryMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}
