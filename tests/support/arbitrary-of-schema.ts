import * as fc from "fast-check";

/** As much of JSON Schema as our OpenAPI description uses. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** Values that a test knows to exist, by the name of the property or parameter that takes them. */
export type KnownValues = Readonly<Record<string, readonly unknown[]>>;

const MOST_ITEMS = 4;
const LONGEST_TEXT = 40;

/** Values that the schema allows; mostly one that is known to exist, where there is one. */
export function arbitraryOf(schema: Schema, known: KnownValues = {}, name = ""): fc.Arbitrary<unknown> {
  const any = unknownValues(schema, known, name);
  const values = known[name];
  if (values === undefined) return any;
  return fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: any });
}

function unknownValues(schema: Schema, known: KnownValues, name: string): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) {
    return fc.oneof(...schema.anyOf.map((one) => arbitraryOf(one, known, name)));
  }
  switch (schema.type) {
    case "object":
      return objects(schema, known);
    case "array":
      return arrays(schema, known, name);
    case "string":
      return texts(schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? -1000, max: Math.min(schema.maximum ?? 1000, 2 ** 31 - 1) });
    case "number":
      return fc.double({
        noNaN: true,
        min: schema.minimum ?? schema.exclusiveMinimum ?? -1e6,
        max: schema.maximum ?? schema.exclusiveMaximum ?? 1e6,
        minExcluded: schema.exclusiveMinimum !== undefined,
        maxExcluded: schema.exclusiveMaximum !== undefined,
      });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case undefined:
      return fc.jsonValue({ maxDepth: 2 });
    default:
      throw new Error(`expected a type of JSON Schema that our routes use, got ${schema.type}`);
  }
}

function objects(schema: Schema, known: KnownValues): fc.Arbitrary<unknown> {
  const properties = Object.entries(schema.properties ?? {});
  const model = Object.fromEntries(properties.map(([key, value]) => [key, arbitraryOf(value, known, key)]));
  if (properties.length === 0 && schema.additionalProperties !== false) {
    return fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
  }
  return fc.record(model, { requiredKeys: [...(schema.required ?? [])] });
}

function arrays(schema: Schema, known: KnownValues, name: string): fc.Arbitrary<unknown> {
  const item = arbitraryOf(schema.items ?? {}, known, name);
  const length = {
    minLength: schema.minItems ?? 0,
    maxLength: Math.min(schema.maxItems ?? MOST_ITEMS, MOST_ITEMS),
  };
  if (schema.uniqueItems !== true) return fc.array(item, length);
  return fc.uniqueArray(item, { ...length, selector: (value) => JSON.stringify(value) });
}

function texts({ pattern, minLength = 0, maxLength = LONGEST_TEXT }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: "-1" });
  return fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, LONGEST_TEXT) });
}
