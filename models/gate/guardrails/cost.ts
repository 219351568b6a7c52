import { atMost, defineGuardrail } from "./guardrail.ts";

/** Memory, CPU time and training time: measured once, so plain limits. */
export const COST = defineGuardrail({
  codes: {
    MEMORY: { name: "memory", measure: "resident memory", unit: "MB" },
    CPU_TIME: { name: "CPU time", measure: "CPU time a request", unit: "ms" },
    TRAINING_TIME: { name: "training time", measure: "training time", unit: "s" },
  },
  judge: ({ cost }, { guardrails: limits }) => [
    atMost("MEMORY", cost?.memoryMb, limits.memoryMb),
    atMost("CPU_TIME", cost?.cpuMsPerRequest, limits.cpuMsPerRequest),
    atMost("TRAINING_TIME", cost?.trainingSeconds, limits.trainingSeconds),
  ],
});
