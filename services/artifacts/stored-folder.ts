import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { sha256Hex } from "../../models/artifact/artifact.ts";
import { type Manifest, VERSION_PATTERN } from "../../models/artifact/manifest.ts";
import { PhasewiseError } from "../errors.ts";
import { CHECKSUMS_FILE, type Checksums, parseChecksums } from "./checksums.ts";
import { errorCode } from "./durable-folder.ts";
import type { StoredArtifact } from "./types.ts";

export const MODEL_FILE = "model.safetensors";
export const MANIFEST_FILE = "manifest.json";

/** A manifest is some kilobytes, more with its trials; beyond this it is no manifest of ours. */
const MAX_TEXT_BYTES = 64_000_000;

/** What loading relies on. The rest of a manifest is covered by its hash alone. */
const RELIED_ON = Type.Object({
  formatVersion: Type.Literal(1),
  version: Type.String({ pattern: VERSION_PATTERN }),
  phase: Type.Integer({ minimum: 1, maximum: 4 }),
  recipe: Type.String({ minLength: 1 }),
  items: Type.Integer({ minimum: 0 }),
  sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  bytes: Type.Integer({ minimum: 1 }),
});

export function refused(version: string, expected: string, got: string, cause?: unknown): PhasewiseError {
  return new PhasewiseError(
    "ARTIFACT_REFUSED",
    `artifact ${version}: expected ${expected}, got ${got}; it will not be served, restore its folder from a copy or train again`,
    { version },
    cause,
  );
}

/** One artifact on disk, as untrusted input: every byte handed out has been checked against its checksum. */
export class ArtifactFolder {
  readonly #path: string;
  readonly #version: string;
  readonly #checksums: Checksums;

  private constructor(path: string, version: string, checksums: Checksums) {
    this.#path = path;
    this.#version = version;
    this.#checksums = checksums;
  }

  /** @throws BAD_REQUEST for what is no version id, NOT_FOUND, ARTIFACT_REFUSED */
  static async open(folder: string, version: string): Promise<ArtifactFolder> {
    if (!new RegExp(VERSION_PATTERN).test(version)) {
      throw new PhasewiseError(
        "BAD_REQUEST",
        `artifact: expected a version id that matches ${VERSION_PATTERN}, got ${JSON.stringify(version)}`,
      );
    }
    const path = join(folder, version);
    const there = await stat(path).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return null;
      throw error;
    });
    if (there === null) {
      throw new PhasewiseError(
        "NOT_FOUND",
        `artifact: expected version ${version} in ${folder}, got nothing; list the versions to see what is there`,
        { version },
      );
    }
    const text = (await readWhole(version, path, CHECKSUMS_FILE)).toString("latin1");
    const checksums = parseChecksums(text);
    if (checksums === null || !checksums.has(MODEL_FILE) || !checksums.has(MANIFEST_FILE)) {
      throw refused(version, `the checksums of its files in ${CHECKSUMS_FILE}`, "something else");
    }
    return new ArtifactFolder(path, version, checksums);
  }

  async manifest(expectedSha256?: string): Promise<StoredArtifact> {
    const bytes = await this.#verified(MANIFEST_FILE);
    const manifestSha256 = sha256Hex(bytes);
    if (expectedSha256 !== undefined && expectedSha256 !== manifestSha256) {
      throw refused(this.#version, `a manifest with SHA-256 ${expectedSha256}`, manifestSha256);
    }
    return { manifest: this.#parseManifest(bytes), manifestSha256 };
  }

  /** Size first, so that a file of the wrong size is refused without being read. */
  async modelBytes(manifest: Manifest): Promise<Uint8Array> {
    const checksum = this.#checksums.get(MODEL_FILE);
    if (manifest.sha256 !== checksum) {
      throw refused(
        this.#version,
        `${MODEL_FILE} with SHA-256 ${manifest.sha256}`,
        `${checksum} in ${CHECKSUMS_FILE}`,
      );
    }
    return this.#verified(MODEL_FILE, manifest.bytes);
  }

  async verifyAttachments(): Promise<void> {
    for (const name of this.#checksums.keys()) if (isAttachment(name)) await this.#verified(name);
  }

  async #verified(name: string, expectedBytes?: number): Promise<Buffer> {
    const bytes = await readWhole(this.#version, this.#path, name, expectedBytes);
    const checksum = this.#checksums.get(name);
    const got = sha256Hex(bytes);
    if (got !== checksum) throw refused(this.#version, `${name} with SHA-256 ${checksum}`, got);
    return bytes;
  }

  #parseManifest(bytes: Buffer): Manifest {
    let manifest: unknown;
    try {
      manifest = JSON.parse(bytes.toString("utf8"));
    } catch (error) {
      throw refused(this.#version, `JSON in ${MANIFEST_FILE}`, "something else", error);
    }
    if (!Value.Check(RELIED_ON, manifest)) {
      const [{ instancePath, message }] = Value.Errors(RELIED_ON, manifest);
      throw refused(
        this.#version,
        `a manifest of format 1`,
        `one whose ${instancePath || "content"} ${message}`,
      );
    }
    if (manifest.version !== this.#version) {
      throw refused(this.#version, "its own manifest", `that of ${manifest.version}`);
    }
    // Written by `write` from a whole Manifest and unchanged since, as its hash shows.
    return manifest as unknown as Manifest;
  }
}

function isAttachment(name: string): boolean {
  return name !== MODEL_FILE && name !== MANIFEST_FILE;
}

async function readWhole(
  version: string,
  folder: string,
  name: string,
  expectedBytes?: number,
): Promise<Buffer> {
  const path = join(folder, name);
  try {
    const { size } = await stat(path);
    if (expectedBytes === undefined ? size > MAX_TEXT_BYTES : size !== expectedBytes) {
      throw refused(version, `${name} of ${expectedBytes ?? `at most ${MAX_TEXT_BYTES}`} bytes`, `${size}`);
    }
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") throw refused(version, name, "no such file", error);
    throw error;
  }
}
