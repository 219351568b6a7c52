import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Redis } from "ioredis";
import { readContent, restoreContent, type StoredKey } from "./redis-content.ts";

/** A state folder and the content of its Redis, as one version of Phasewise left them. */
export interface EarlierHome {
  /** Commit that wrote it. */
  readonly writtenBy: string;
  /** Content of each file in base64, by its path in the state folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly redis: readonly StoredKey[];
}

const FIXTURES = new URL("../../../../tests/fixtures/", import.meta.url);

export async function readEarlierHome(name: string): Promise<EarlierHome> {
  return JSON.parse(gunzipSync(await readFile(new URL(`${name}.json.gz`, FIXTURES))).toString());
}

export async function packHome(writtenBy: string, home: string, redis: Redis): Promise<Buffer> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(home, join(entry.parentPath, entry.name)));
  const files: Record<string, string> = {};
  for (const path of paths.sort()) files[path] = (await readFile(join(home, path))).toString("base64");
  const packed: EarlierHome = { writtenBy, files, redis: await readContent(redis) };
  return gzipSync(JSON.stringify(packed), { level: 9 });
}

export async function unpackHome({ files, redis: content }: EarlierHome, home: string, redis: Redis) {
  for (const [path, base64] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), Buffer.from(base64, "base64"));
  }
  await restoreContent(redis, content);
}
