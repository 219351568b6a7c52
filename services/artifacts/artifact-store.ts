import { parseModel, serializeModel, sha256Hex, versionOf } from "../../models/artifact/artifact.ts";
import type { Manifest } from "../../models/artifact/manifest.ts";
import type { Model } from "../../models/model.ts";
import { PhasewiseError } from "../errors.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { CheckedFiles, MANIFEST_FILE, MODEL_FILE, refused } from "./checked-files.ts";
import { CHECKSUMS_FILE, checksumsText } from "./checksums.ts";
import type { ArtifactStore, Attachments, CheckedArtifact, StoredArtifact } from "./types.ts";

const ATTACHMENT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Artifacts in a byte store: the group `<version>` holds the arrays, the manifest, attachments and checksums. */
export function artifactStore(store: ByteStore): ArtifactStore {
  async function checked(version: string, expectedManifestSha256?: string): Promise<CheckedArtifact> {
    const files = await CheckedFiles.open(store, version);
    const { manifest, manifestSha256 } = await files.manifest(expectedManifestSha256);
    const bytes = await files.modelBytes(manifest);
    await files.verifyAttachments();
    return { manifest, manifestSha256, bytes };
  }

  return {
    async write(model, describe, attach = () => ({})) {
      const bytes = serializeModel(model);
      const hash = sha256Hex(bytes);
      const version = versionOf(model.recipe, hash);
      const taken = await storedIfThere(store, version, hash);
      if (taken !== null) return taken;

      const manifest = describe({ version, sha256: hash, bytes: bytes.length });
      refuseOtherContent(manifest, version, hash, bytes.length);
      const manifestBytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
      const stored = { manifest, manifestSha256: sha256Hex(manifestBytes) };
      if (await store.write(version, filesOf(bytes, manifestBytes, attach(manifest)))) return stored;
      return (await storedIfThere(store, version, hash)) ?? stored;
    },

    async manifest(version) {
      const files = await CheckedFiles.open(store, version);
      return files.manifest();
    },

    checked,

    async load(version, expectedManifestSha256) {
      const { bytes, ...stored } = await checked(version, expectedManifestSha256);
      return { ...stored, model: modelOf({ ...stored, bytes }) };
    },
  };
}

/** The model in bytes whose hashes hold. @throws ARTIFACT_REFUSED when it is not sound, or not what its manifest says */
export function modelOf({ manifest, bytes }: Pick<CheckedArtifact, "manifest" | "bytes">): Model {
  const { version } = manifest;
  const model = parsed(version, bytes);
  const { phase, recipe, items } = model;
  if (phase === manifest.phase && recipe === manifest.recipe && items.size === manifest.items) return model;
  throw refused(
    version,
    `a ${manifest.recipe} of phase ${manifest.phase} with ${manifest.items} items, as its manifest says`,
    `a ${recipe} of phase ${phase} with ${items.size}`,
  );
}

function parsed(version: string, bytes: Uint8Array): Model {
  try {
    return parseModel(bytes);
  } catch (error) {
    throw refused(version, "a sound model", error instanceof Error ? error.message : String(error), error);
  }
}

/** The artifact that is at the version's name already: the same content, since the name is its hash. */
async function storedIfThere(
  store: ByteStore,
  version: string,
  hash: string,
): Promise<StoredArtifact | null> {
  try {
    const files = await CheckedFiles.open(store, version);
    const artifact = await files.manifest();
    await files.modelBytes(artifact.manifest);
    if (artifact.manifest.sha256 !== hash)
      throw refused(version, `SHA-256 ${hash}`, artifact.manifest.sha256);
    return artifact;
  } catch (error) {
    if (error instanceof PhasewiseError && error.code === "NOT_FOUND") return null;
    throw error;
  }
}

function filesOf(model: Uint8Array, manifest: Uint8Array, attachments: Attachments): Map<string, Uint8Array> {
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
  return files.set(CHECKSUMS_FILE, Buffer.from(checksumsText(files)));
}

function refuseOtherContent(manifest: Manifest, version: string, hash: string, bytes: number): void {
  if (manifest.version === version && manifest.sha256 === hash && manifest.bytes === bytes) return;
  throw new RangeError(
    `artifact ${version}: expected its manifest to describe ${bytes} bytes with SHA-256 ${hash}, got ${manifest.version}, ${manifest.bytes} bytes, ${manifest.sha256}`,
  );
}
