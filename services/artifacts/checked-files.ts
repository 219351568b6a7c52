import { Type } from "typebox";
import { Value } from "typebox/value";
import { sha256Hex } from "../../models/artifact/artifact.ts";
import { type Manifest, VERSION_PATTERN } from "../../models/artifact/manifest.ts";
import { PhasewiseError } from "../errors.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { CHECKSUMS_FILE, type Checksums, parseChecksums } from "./checksums.ts";
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

/** One artifact in a store, as untrusted input: every byte handed out has been checked against its checksum. */
export class CheckedFiles {
  readonly #store: ByteStore;
  readonly #version: string;
  readonly #checksums: Checksums;

  private constructor(store: ByteStore, version: string, checksums: Checksums) {
    this.#store = store;
    this.#version = version;
    this.#checksums = checksums;
  }

  /** @throws BAD_REQUEST for what is no version id, NOT_FOUND, ARTIFACT_REFUSED */
  static async open(store: ByteStore, version: string): Promise<CheckedFiles> {
    if (!new RegExp(VERSION_PATTERN).test(version)) {
      throw new PhasewiseError(
        "BAD_REQUEST",
        `artifact: expected a version id that matches ${VERSION_PATTERN}, got ${JSON.stringify(version)}`,
      );
    }
    if ((await store.list(version)).length === 0) {
      throw new PhasewiseError(
        "NOT_FOUND",
        `artifact: expected version ${version} in ${store.place}, got nothing; list the versions to see what is there`,
        { version },
      );
    }
    const text = Buffer.from(await readWhole(store, version, CHECKSUMS_FILE)).toString("latin1");
    const checksums = parseChecksums(text);
    if (checksums === null || !checksums.has(MODEL_FILE) || !checksums.has(MANIFEST_FILE)) {
      throw refused(version, `the checksums of its files in ${CHECKSUMS_FILE}`, "something else");
    }
    return new CheckedFiles(store, version, checksums);
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

  async #verified(name: string, expectedBytes?: number): Promise<Uint8Array> {
    const bytes = await readWhole(this.#store, this.#version, name, expectedBytes);
    const checksum = this.#checksums.get(name);
    const got = sha256Hex(bytes);
    if (got !== checksum) throw refused(this.#version, `${name} with SHA-256 ${checksum}`, got);
    return bytes;
  }

  #parseManifest(bytes: Uint8Array): Manifest {
    let manifest: unknown;
    try {
      manifest = JSON.parse(Buffer.from(bytes).toString("utf8"));
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

/** Its size first: a file that cannot be right is not read. */
async function readWhole(
  store: ByteStore,
  version: string,
  file: string,
  expectedBytes?: number,
): Promise<Uint8Array> {
  const name = `${version}/${file}`;
  const facts = await store.find(name);
  if (facts === null) throw refused(version, file, "no such file");
  if (expectedBytes === undefined ? facts.bytes > MAX_TEXT_BYTES : facts.bytes !== expectedBytes) {
    throw refused(
      version,
      `${file} of ${expectedBytes ?? `at most ${MAX_TEXT_BYTES}`} bytes`,
      `${facts.bytes}`,
    );
  }
  const bytes = await store.read(name);
  if (bytes === null) throw refused(version, file, "no such file");
  return bytes;
}
