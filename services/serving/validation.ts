import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { PhasewiseError } from "../errors.ts";

/** The fields of a validation error that a message is made of. */
interface Violation {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

const NUMBER = /^-?\d{1,15}(\.\d{1,15})?$/;

/**
 * TypeBox validates every route. Bodies are taken literally (null stays null, "5" stays a string); query and
 * path values arrive as text, so plain decimal numbers are read where the schema asks for a number.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (value: unknown) => {
    const given = httpPart === "body" ? value : withNumbers(schema, value);
    if (validator.Check(given)) return { value: given };
    return { error: invalid(schema, validator.Errors(given), given, httpPart ?? "value") };
  };
};

/** Checks a value that no route schema covers, such as a recipe's parameters. @throws BAD_REQUEST */
export function assertValid(schema: TSchema, value: unknown, prefix: string): void {
  const validator = Compile(schema);
  if (!validator.Check(value)) throw invalid(schema, validator.Errors(value), value, prefix, prefix);
}

function withNumbers(schema: TSchema, value: unknown): unknown {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  return Object.fromEntries(
    Object.entries(value ?? {}).map(([name, text]) => {
      const type = Object.hasOwn(properties, name) ? properties[name].type : undefined;
      const numeric = type === "integer" || type === "number";
      return [name, numeric && typeof text === "string" && NUMBER.test(text) ? Number(text) : text];
    }),
  );
}

function invalid(
  schema: TSchema,
  violations: readonly Violation[],
  value: unknown,
  part: string,
  prefix = "",
): PhasewiseError {
  const { path, expected } = mostTelling(schema, violations);
  const inside = path.split("/").slice(1).map(unescapePointer);
  const field = [prefix, ...inside].filter((step) => step !== "").join(".") || part;
  const got = shown(at(value, inside));
  return new PhasewiseError("BAD_REQUEST", `${field}: expected ${expected}, got ${got}`, { field });
}

/** A failed union reports each branch as well: the union itself says more than its first branch. */
function mostTelling(
  schema: TSchema,
  violations: readonly Violation[],
): { readonly path: string; readonly expected: string } {
  const [first] = violations;
  if (first === undefined) return { path: "", expected: "another value" };
  const union = violations.find(
    (violation) => violation.keyword === "anyOf" && first.instancePath.startsWith(violation.instancePath),
  );
  const chosen = union ?? first;
  const params = chosen.params as Readonly<Record<string, unknown>>;
  switch (chosen.keyword) {
    case "required": {
      const [missing] = params.requiredProperties as string[];
      const path = `${chosen.instancePath}/${missing}`;
      return {
        path,
        expected: describedAt(schema, `${chosen.schemaPath}/properties/${missing}`) ?? "a value",
      };
    }
    case "boolean":
      return { path: chosen.instancePath, expected: "no such field" };
    case "additionalProperties": {
      const [extra] = params.additionalProperties as string[];
      return { path: `${chosen.instancePath}/${extra}`, expected: "no such field" };
    }
    default: {
      const described = describedAt(schema, chosen.schemaPath);
      return { path: chosen.instancePath, expected: described ?? chosen.message.replace(/^must be /, "") };
    }
  }
}

function describedAt(schema: TSchema, schemaPath: string): string | undefined {
  const node = at(schema, schemaPath.split("/").slice(1).map(unescapePointer));
  const description = (node as { description?: unknown } | undefined)?.description;
  return typeof description === "string" ? description : undefined;
}

function at(value: unknown, path: readonly string[]): unknown {
  let node = value;
  for (const step of path) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, step)) return undefined;
    node = (node as Record<string, unknown>)[step];
  }
  return node;
}

function unescapePointer(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** A value short enough for a message. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
