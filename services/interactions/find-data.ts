import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { syntheticData } from "../../models/data/synthetic.ts";
import { type ImportedInteractions, type ImportOptions, importInteractions } from "./import/import.ts";
import { unzip } from "./zip.ts";

/** MovieLens ml-latest-small, by GroupLens; its licence allows research use and forbids redistribution. */
export const MOVIELENS_SMALL = {
  url: "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
  folder: "ml-latest-small",
  /** SHA-256 of the files inside, hex. */
  files: {
    "ratings.csv": "aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
    "movies.csv": "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
  },
} as const;

export interface Download {
  readonly url: string;
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
}

export interface FindDataOptions {
  /** A file or folder given by the user: nothing else is then tried. */
  readonly source?: string | undefined;
  /** Where downloads are kept. */
  readonly cacheFolder: string;
  readonly download?: Download | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Where the data is; `reason` says in a sentence why it is this one. */
export type FoundData =
  | { readonly kind: "given" | "cached" | "downloaded"; readonly path: string; readonly reason: string }
  | { readonly kind: "synthetic"; readonly reason: string };

const DOWNLOAD_TIMEOUT_MS = 30_000;
const MAX_ARCHIVE_BYTES = 20_000_000;
const MAX_FILE_BYTES = 50_000_000;
const SYNTHETIC_SEED = 1;

/** The user's data; else a cached download; else a download; else the synthetic catalogue. */
export async function findData(options: FindDataOptions): Promise<FoundData> {
  if (options.source !== undefined) {
    return { kind: "given", path: options.source, reason: `using ${options.source}` };
  }
  const download = options.download ?? MOVIELENS_SMALL;
  const path = join(options.cacheFolder, download.folder);
  if (await isIntact(path, download))
    return { kind: "cached", path, reason: `using the download in ${path}` };
  try {
    await fetchInto(path, download, options.timeoutMs ?? DOWNLOAD_TIMEOUT_MS);
    return { kind: "downloaded", path, reason: `downloaded ${download.url} to ${path}` };
  } catch (error) {
    return {
      kind: "synthetic",
      reason:
        `NO REAL DATA: ${download.url} could not be used (${messageOf(error)}). Running on the built-in SYNTHETIC ` +
        "catalogue: its figures say nothing about real users. Give --data DIR or PHASEWISE_DATA for real data.",
    };
  }
}

/** Reads what was found. The report is null for synthetic data, which needs no validation. */
export async function loadData(
  found: FoundData,
  options: ImportOptions,
): Promise<
  Omit<ImportedInteractions, "report"> & { readonly report: ImportedInteractions["report"] | null }
> {
  if (found.kind === "synthetic") return { ...syntheticData({ seed: SYNTHETIC_SEED }), report: null };
  return importInteractions(found.path, options);
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function isIntact(path: string, download: Download): Promise<boolean> {
  for (const [name, expected] of Object.entries(download.files)) {
    const bytes = await readFile(join(path, name)).catch(() => null);
    if (bytes === null || sha256(bytes) !== expected) return false;
  }
  return true;
}

async function fetchInto(path: string, download: Download, timeoutMs: number): Promise<void> {
  const archive = await fetchBytes(download.url, timeoutMs);
  const files = unzip(archive, Object.keys(download.files), MAX_FILE_BYTES);
  for (const [name, bytes] of files) {
    const got = sha256(bytes);
    if (got !== download.files[name]) {
      throw new Error(
        `expected ${name} with SHA-256 ${download.files[name].slice(0, 12)}…, got ${got.slice(0, 12)}…`,
      );
    }
  }
  const temporary = `${path}.tmp-${randomUUID()}`;
  try {
    await mkdir(temporary, { recursive: true });
    for (const [name, bytes] of files) await writeFile(join(temporary, name), bytes);
    // A folder that stands here failed its checksums.
    await rm(path, { recursive: true, force: true });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function fetchBytes(url: string, timeoutMs: number): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.byteLength;
    if (bytes > MAX_ARCHIVE_BYTES) throw new Error(`more than ${MAX_ARCHIVE_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** fetch hides why it failed one level down. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
