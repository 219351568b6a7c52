import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import Type, { type Static } from "typebox";
import { Errors } from "typebox/value";
import { PhasewiseError } from "../../errors.ts";
import { ROLES, type Role } from "./column-names.ts";

/** A column by its name, or by its number from 1; "none" for a part that no column plays. */
const ColumnChoice = Type.Union([Type.String({ minLength: 1 }), Type.Integer({ minimum: 1 })]);

const SettingsFile = Type.Object(
  {
    columns: Type.Optional(
      Type.Object(Object.fromEntries(ROLES.map((role) => [role, Type.Optional(ColumnChoice)])), {
        additionalProperties: false,
      }),
    ),
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 4 })),
    decimal: Type.Optional(Type.Union([Type.Literal("."), Type.Literal(",")])),
    dates: Type.Optional(Type.String({ minLength: 1 })),
    header: Type.Optional(Type.Union([Type.Literal("yes"), Type.Literal("no")])),
    encoding: Type.Optional(Type.String({ minLength: 1 })),
    layout: Type.Optional(
      Type.Union([Type.Literal("netflix"), Type.Literal("lists"), Type.Literal("table")]),
    ),
    events: Type.Optional(Type.Record(Type.String(), Type.Number())),
  },
  { additionalProperties: false },
);

/** How a file is to be read, where the user says so. */
export interface ImportSettings {
  readonly columns: Readonly<Partial<Record<Role, string | number>>>;
  readonly delimiter: string | null;
  readonly decimal: "." | "," | null;
  readonly dates: string | null;
  readonly header: "yes" | "no" | null;
  readonly encoding: string | null;
  readonly layout: "netflix" | "lists" | "table" | null;
  /** Weights of the site's own types of events. */
  readonly events: Readonly<Record<string, number>>;
}

export const NO_SETTINGS: ImportSettings = {
  columns: {},
  delimiter: null,
  decimal: null,
  dates: null,
  header: null,
  encoding: null,
  layout: null,
  events: {},
};

export type SettingsGiven = Static<typeof SettingsFile>;

export const SETTINGS_FILE = "phasewise.import.json";

/** What the file beside the data says, below what was given. @throws INVALID_DATA naming the wrong field */
export async function importSettings(source: string, given: SettingsGiven = {}): Promise<ImportSettings> {
  const kind = await stat(source).catch(() => null);
  const folder = kind?.isDirectory() === true ? source : dirname(source);
  const path = join(folder, SETTINGS_FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
  const filed = text === null ? {} : checkedSettings(parsed(text, path), path);
  const flags = checkedSettings(given, "import");
  const merged = { ...filed, ...flags, columns: { ...filed.columns, ...flags.columns } };
  const delimiter = merged.delimiter === undefined ? null : delimiterOf(merged.delimiter);
  return { ...NO_SETTINGS, ...merged, delimiter };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected JSON, got: ${(error as Error).message}; correct or remove the file`,
      { path },
    );
  }
}

function checkedSettings(value: unknown, path: string): SettingsGiven {
  const [error] = Errors(SettingsFile, value);
  if (error === undefined) return value as SettingsGiven;
  const field = error.instancePath.slice(1).replaceAll("/", ".") || "the settings";
  const known = `columns, delimiter, decimal, dates, header, encoding, layout, events`;
  throw new PhasewiseError(
    "INVALID_DATA",
    `${path}: ${field} ${error.message}; expected ${known}, with columns such as {"user": "customer_id", "item": 3}`,
    { path, field },
  );
}

/** As people write what cannot be typed. */
function delimiterOf(text: string): string {
  return (
    { tab: "\t", "\\t": "\t", space: " ", comma: ",", semicolon: ";", pipe: "|" }[text.toLowerCase()] ?? text
  );
}

/** "user=customer_id,item=3,time=none" as an object. @throws INVALID_DATA */
export function columnChoices(text: string): Readonly<Partial<Record<Role, string | number>>> {
  const choices: Partial<Record<Role, string | number>> = {};
  for (const part of text.split(",")) {
    const [role, column] = [
      part.slice(0, part.indexOf("=")).trim(),
      part.slice(part.indexOf("=") + 1).trim(),
    ];
    if (!part.includes("=") || !(ROLES as readonly string[]).includes(role) || column === "") {
      throw new PhasewiseError(
        "INVALID_DATA",
        `--columns: expected PART=COLUMN pairs such as user=customer_id,item=3 with the parts ${ROLES.join(", ")}, got "${part}"; correct it`,
        { columns: text },
      );
    }
    choices[role as Role] = /^\d+$/.test(column) ? Number(column) : column;
  }
  return choices;
}
