import type { TSchema } from "typebox";
import { policySchema } from "./policy-schema.ts";

/** The keywords that a line of the schema may carry. */
interface Knob {
  readonly default?: unknown;
  readonly unit?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: Knob;
  readonly const?: unknown;
  readonly anyOf?: readonly Knob[];
  readonly properties?: Readonly<Record<string, Knob>>;
}

const HEAD = "| limit | default | unit | allowed | meaning |\n| --- | --- | --- | --- | --- |";

/** Every limit of the policy as a Markdown page, drawn from the schema that checks the file. */
export function policyReference(): string {
  const { description, properties }: Knob = policySchema as TSchema;
  const knobs = Object.entries(properties ?? {});
  const loose = knobs.filter(([, knob]) => knob.properties === undefined);
  const groups = knobs.flatMap(([name, knob]) =>
    knob.properties === undefined
      ? []
      : [section(`\`${name}\``, knob.description, Object.entries(knob.properties))],
  );
  return [section("Policy", description, loose, "#"), ...groups].join("\n\n");
}

function section(
  title: string,
  description: string | undefined,
  knobs: readonly (readonly [string, Knob])[],
  level = "##",
): string {
  const rows = knobs.map(([name, knob]) => {
    const cells = [
      `\`${name}\``,
      `\`${JSON.stringify(knob.default)}\``,
      knob.unit ?? "",
      allowed(knob),
      knob.description ?? "",
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return `${level} ${title}\n\n${description ?? ""}\n\n${[HEAD, ...rows].join("\n")}`;
}

/** "> 0, < 1", "≥ 200", "true or false", one of a list. */
function allowed(knob: Knob): string {
  if (knob.anyOf !== undefined) return knob.anyOf.map(allowed).join(" or ");
  if (knob.const !== undefined) return JSON.stringify(knob.const);
  if (knob.items !== undefined) return `each ${allowed(knob.items)}`;
  if (typeof knob.default === "boolean") return "true or false";
  const bounds: readonly (readonly [string, number | undefined])[] = [
    ["≥", knob.minimum],
    [">", knob.exclusiveMinimum],
    ["≤", knob.maximum],
    ["<", knob.exclusiveMaximum],
  ];
  return bounds.flatMap(([sign, bound]) => (bound === undefined ? [] : [`${sign} ${bound}`])).join(", ");
}
