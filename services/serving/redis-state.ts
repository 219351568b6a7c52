import type { ServingDeps } from "./deps.ts";

export function redisState({
  redisUp,
  histories,
  surroundings,
}: Pick<ServingDeps, "redisUp" | "histories" | "surroundings">): "up" | "late" | "down" | "unfit" {
  const { redis } = surroundings();
  if (!redisUp()) return "down";
  return redis === "up" && !histories.answering ? "late" : redis;
}
