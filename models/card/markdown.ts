import type { Estimate } from "../evaluation/report.ts";
import { signed } from "../evaluation/signed.ts";

/* Pieces of a model card's Markdown: tables, lists, and figures as all of its sections write them. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function list(points: readonly string[]): string {
  return points.map((point) => `- ${sentence(point)}`).join("\n");
}

export function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

export function settings(params: Readonly<Record<string, unknown>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(3)) : value}`)
    .join(", ");
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function figure(value: number): string {
  return value.toFixed(4);
}

export function interval({ mean, low, high }: Estimate): string {
  return `${figure(mean)} [${figure(low)}, ${figure(high)}]`;
}

export function signedInterval({ mean, low, high }: Estimate): string {
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
}
