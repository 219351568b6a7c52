import type { FleetRuling } from "./fleet.ts";

/** What all replicas found, in one sentence with its numbers. */
export function explainFleet(ruling: FleetRuling): string {
  const { reasons, requests, errors, errorRate, p99Ms, replicas, limits } = ruling;
  const where = `${requests.toLocaleString("en")} requests on ${replicas === 1 ? "1 replica" : `${replicas} replicas`}`;
  const found: string[] = [];
  if (reasons.includes("FLEET_ERRORS")) {
    found.push(
      `it left ${errors.toLocaleString("en")} unanswered, at least ${percent(errorRate)} where ${percent(limits.errorRate)} is the limit`,
    );
  }
  if (reasons.includes("FLEET_SLOW")) {
    found.push(`its p99 is at least ${p99Ms.toFixed(0)} ms where ${limits.p99Ms} ms is the limit`);
  }
  if (found.length > 0) return `Failing in service: of ${where} ${found.join(", and ")}.`;
  if (reasons.includes("FLEET_SOUND")) return `Sound in service: ${where}, ${errors} unanswered.`;
  return reasons.includes("FLEET_TOO_QUIET")
    ? `Not judged in service: ${where} are too few.`
    : "Not judged in service: the replicas' figures cannot be used.";
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
