import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Installation } from "../config.ts";
import { REGISTRY_KEYS } from "../registry/snapshot.ts";
import { errorCode, writeFlushed } from "../storage/durable-file.ts";

const KEY = "installation";
const FILE = "installation-id";

/**
 * A home and what Redis holds under its prefix belong together: one has the files of the models that the other says are
 * live. Both carry one id, which the first start gives them; a Redis that comes back empty gets it again from its home.
 *
 * @returns null when they belong together, else what was expected, what was got and the lines to run, in words
 */
export async function strangeHome(redis: Redis, installation: Installation): Promise<string | null> {
  const { stateFolder } = installation;
  if (stateFolder === undefined) return null;
  const file = join(stateFolder, FILE);
  // Redis first: a home whose id is there has had its file before.
  const known = await redis.get(KEY);
  const kept = await idIn(file);
  if (kept !== null && kept === known) return null;
  if (known !== null) return ofAnother(installation, file, kept, known);
  if (kept === null && (await redis.exists(REGISTRY_KEYS.facts)) > 0 && !(await holdsModels(stateFolder))) {
    return `expected models in ${stateFolder}, since this Redis names some under the prefix "${prefixOf(installation)}", got none; set PHASEWISE_HOME to where they are, or PHASEWISE_PREFIX to a name of this home's own`;
  }
  const own = kept ?? (await newId(stateFolder, file));
  const before = await redis.set(KEY, own, "NX", "GET");
  return before === null || before === own ? null : ofAnother(installation, file, own, before);
}

function ofAnother(installation: Installation, file: string, own: string | null, other: string): string {
  const prefix = prefixOf(installation);
  return `expected what is under the prefix "${prefix}" to be of this home (${own ?? "which has no id yet"}), got that of another (${other}); give this home a prefix of its own (PHASEWISE_PREFIX=${prefix}-2), set PHASEWISE_HOME to the other, or, if this one takes its place, run: echo ${other} > ${file}`;
}

const prefixOf = ({ prefix = "phasewise" }: Installation): string => prefix;

async function holdsModels(stateFolder: string): Promise<boolean> {
  const names = await readdir(join(stateFolder, "artifacts")).catch(() => []);
  return names.length > 0;
}

/** Of several first starts at once exactly one makes the id: a link never replaces a file. */
async function newId(stateFolder: string, file: string): Promise<string> {
  await mkdir(stateFolder, { recursive: true });
  const id = randomBytes(6).toString("hex");
  const draft = `${file}.${id}`;
  await writeFlushed(draft, `${id}\n`);
  try {
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  } finally {
    await rm(draft);
  }
  return (await idIn(file)) ?? id;
}

async function idIn(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim() || null;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}
