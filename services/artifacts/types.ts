import type { Manifest } from "../../models/artifact/manifest.ts";
import type { Model } from "../../models/model.ts";

export interface StoredArtifact {
  readonly manifest: Manifest;
  readonly manifestSha256: string;
}

/** An artifact whose bytes are what its hashes say; plain data, which a thread can be given. */
export interface CheckedArtifact extends StoredArtifact {
  /** Of the file of arrays. */
  readonly bytes: Uint8Array;
}

export interface LoadedArtifact extends StoredArtifact {
  readonly model: Model;
}

/** Texts that belong to a version besides its arrays and manifest, by name: its card.md. */
export type Attachments = Readonly<Record<string, string>>;

/**
 * Where models rest. Immutable and content-addressed: a version is written once, whole, and never changed; writing
 * the same content again is a no-op.
 */
export interface ArtifactStore {
  /**
   * `describe` gets the version id, hash and size that the bytes have, and returns the manifest to store; `attach`
   * what to store with it.
   */
  write(
    model: Model,
    describe: (file: { version: string; sha256: string; bytes: number }) => Manifest,
    attach?: (manifest: Manifest) => Attachments,
  ): Promise<StoredArtifact>;
  manifest(version: string): Promise<StoredArtifact>;
  /** @throws ARTIFACT_REFUSED when a size or a SHA-256 does not hold */
  checked(version: string, expectedManifestSha256?: string): Promise<CheckedArtifact>;
  /** @throws ARTIFACT_REFUSED when size, SHA-256, format, shapes or finiteness do not hold */
  load(version: string, expectedManifestSha256?: string): Promise<LoadedArtifact>;
}
