import { readdir } from "node:fs/promises";
import { parseModel, serializeModel, sha256Hex, versionOf } from "../../models/artifact/artifact.ts";
import { type Manifest, VERSION_PATTERN } from "../../models/artifact/manifest.ts";
import type { Model } from "../../models/model.ts";
import { PhasewiseError } from "../errors.ts";
import { CHECKSUMS_FILE, checksumsText } from "./checksums.ts";
import { errorCode, sweepTemporary, writeFolder } from "./durable-folder.ts";
import { ArtifactFolder, MANIFEST_FILE, MODEL_FILE, refused } from "./stored-folder.ts";
import type { ArtifactStore, Attachments, StoredArtifact } from "./types.ts";

/** Turns a model into bytes and back; `parse` throws on anything that is not a sound model. */
export interface ModelCodec {
  serialize(model: Model): Uint8Array;
  parse(bytes: Uint8Array): Model;
}

export interface FolderStoreOptions {
  readonly codec?: ModelCodec | undefined;
  /** Age at which a half-written folder is taken for a dead writer's (default one hour). */
  readonly staleAfterMs?: number | undefined;
}

const DEFAULT_STALE_AFTER_MS = 3_600_000;
const NO_SPACE: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const ATTACHMENT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Artifacts in a local folder: `<folder>/<version>/` holds the arrays, the manifest, attachments, checksums. */
export function folderArtifactStore(folder: string, options: FolderStoreOptions = {}): ArtifactStore {
  const codec = options.codec ?? { serialize: serializeModel, parse: parseModel };
  const staleAfterMs = options.staleAfterMs ?? DEFAULT_STALE_AFTER_MS;

  return {
    async write(model, describe, attach = () => ({})) {
      const bytes = codec.serialize(model);
      const hash = sha256Hex(bytes);
      const version = versionOf(model.recipe, hash);
      await sweepTemporary(folder, staleAfterMs);
      const taken = await storedIfThere(folder, version, hash);
      if (taken !== null) return taken;

      const manifest = describe({ version, sha256: hash, bytes: bytes.length });
      refuseOtherContent(manifest, version, hash, bytes.length);
      const manifestBytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
      const files = filesOf(bytes, manifestBytes, attach(manifest));
      const won = await writeFolder(folder, version, files).catch((error: unknown) => {
        throw NO_SPACE.has(errorCode(error)) ? noSpace(folder, version, bytes.length, error) : error;
      });
      if (won) return { manifest, manifestSha256: sha256Hex(manifestBytes) };
      return (
        (await storedIfThere(folder, version, hash)) ?? { manifest, manifestSha256: sha256Hex(manifestBytes) }
      );
    },

    async manifest(version) {
      const stored = await ArtifactFolder.open(folder, version);
      return stored.manifest();
    },

    async load(version, expectedManifestSha256) {
      const stored = await ArtifactFolder.open(folder, version);
      const { manifest, manifestSha256 } = await stored.manifest(expectedManifestSha256);
      const bytes = await stored.modelBytes(manifest);
      await stored.verifyAttachments();
      const model = parsed(codec, version, bytes);
      const { phase, recipe } = model;
      if (phase !== manifest.phase || recipe !== manifest.recipe || model.items.size !== manifest.items) {
        throw refused(
          version,
          `a ${manifest.recipe} of phase ${manifest.phase} with ${manifest.items} items, as its manifest says`,
          `a ${recipe} of phase ${phase} with ${model.items.size}`,
        );
      }
      return { manifest, manifestSha256, model };
    },

    async versions() {
      const names = await readdir(folder).catch((error: unknown) => {
        if (errorCode(error) === "ENOENT") return [];
        throw error;
      });
      const pattern = new RegExp(VERSION_PATTERN);
      return names.filter((name) => pattern.test(name)).sort();
    },
  };
}

function parsed(codec: ModelCodec, version: string, bytes: Uint8Array): Model {
  try {
    return codec.parse(bytes);
  } catch (error) {
    throw refused(version, "a sound model", error instanceof Error ? error.message : String(error), error);
  }
}

/** The artifact that is at the version's name already: the same content, since the name is its hash. */
async function storedIfThere(folder: string, version: string, hash: string): Promise<StoredArtifact | null> {
  try {
    const stored = await ArtifactFolder.open(folder, version);
    const artifact = await stored.manifest();
    await stored.modelBytes(artifact.manifest);
    if (artifact.manifest.sha256 !== hash)
      throw refused(version, `SHA-256 ${hash}`, artifact.manifest.sha256);
    return artifact;
  } catch (error) {
    if (error instanceof PhasewiseError && error.code === "NOT_FOUND") return null;
    throw error;
  }
}

function filesOf(
  model: Uint8Array,
  manifest: Uint8Array,
  attachments: Attachments,
): Map<string, Uint8Array | string> {
  const files = new Map<string, Uint8Array>([
    [MODEL_FILE, model],
    [MANIFEST_FILE, manifest],
  ]);
  for (const [name, text] of Object.entries(attachments)) {
    if (!ATTACHMENT_NAME.test(name) || files.has(name)) {
      throw new RangeError(`artifact: expected an attachment name like card.md, got "${name}"`);
    }
    files.set(name, Buffer.from(text));
  }
  return new Map<string, Uint8Array | string>([...files, [CHECKSUMS_FILE, checksumsText(files)]]);
}

function refuseOtherContent(manifest: Manifest, version: string, hash: string, bytes: number): void {
  if (manifest.version === version && manifest.sha256 === hash && manifest.bytes === bytes) return;
  throw new RangeError(
    `artifact ${version}: expected its manifest to describe ${bytes} bytes with SHA-256 ${hash}, got ${manifest.version}, ${manifest.bytes} bytes, ${manifest.sha256}`,
  );
}

function noSpace(folder: string, version: string, bytes: number, cause: unknown): PhasewiseError {
  return new PhasewiseError(
    "STORE_UNAVAILABLE",
    `artifact ${version}: expected room for ${bytes} bytes in ${folder}, got ${errorCode(cause)}; nothing was stored, free some space and train again`,
    { version, bytes },
    cause,
  );
}
