import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Manifest } from "../../models/artifact/manifest.ts";
import { artifactStore } from "../../services/artifacts/artifact-store.ts";
import type { ArtifactStore } from "../../services/artifacts/types.ts";
import { folderStore } from "../../services/storage/folder-store.ts";
import { describeTiny, sha256, tinyModel } from "../support/tiny-model.ts";

/** Bytes at even distances that are flipped whatever the random ones are: every region of every file. */
const EVEN_FLIPS = 96;

describe("F9: a damaged artifact", () => {
  let folder: string;
  let store: ArtifactStore;
  let path: string;
  let version: string;
  let manifestSha256: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-damage-"));
    store = artifactStore(folderStore(folder));
    const stored = await store.write(tinyModel(1), describeTiny, () => ({ "card.md": "# A card\n" }));
    version = stored.manifest.version;
    manifestSha256 = stored.manifestSha256;
    path = join(folder, version);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Loads while a file's content is replaced, then restores it; resolves to the error's code. */
  async function loadWith(file: string, damage: (bytes: Buffer) => Uint8Array): Promise<unknown> {
    const whole = await readFile(join(path, file));
    await writeFile(join(path, file), damage(Buffer.from(whole)));
    try {
      await store.load(version);
      return "loaded";
    } catch (error) {
      return (error as { code?: unknown }).code;
    } finally {
      await writeFile(join(path, file), whole);
    }
  }

  for (const file of ["model.safetensors", "manifest.json", "card.md", "SHA256SUMS"]) {
    test(`is refused for a flipped bit anywhere in ${file}`, async () => {
      const { size } = await stat(join(path, file));
      const flip = async (position: number, bit: number): Promise<void> => {
        const outcome = await loadWith(file, (bytes) => {
          bytes[position] ^= 1 << bit;
          return bytes;
        });
        assert.equal(outcome, "ARTIFACT_REFUSED", `bit ${bit} of byte ${position}`);
      };
      const flips = Math.min(size, EVEN_FLIPS);
      for (let n = 0; n < flips; n++) await flip(Math.floor((n * size) / flips), n % 8);
      await fc.assert(fc.asyncProperty(fc.nat(size - 1), fc.nat(7), flip), { numRuns: 60, seed: 1 });
    });

    test(`is refused when ${file} is truncated, extended or gone`, async () => {
      const { size } = await stat(join(path, file));
      for (const kept of new Set([0, 1, size >> 1, size - 1])) {
        const outcome = await loadWith(file, (bytes) => bytes.subarray(0, kept));
        assert.equal(outcome, "ARTIFACT_REFUSED", `${kept} bytes kept`);
      }
      const longer = await loadWith(file, (bytes) => Buffer.concat([bytes, Buffer.from("\n")]));
      assert.equal(longer, "ARTIFACT_REFUSED");
      const whole = await readFile(join(path, file));
      await rm(join(path, file));
      await assert.rejects(store.load(version), { code: "ARTIFACT_REFUSED" });
      await writeFile(join(path, file), whole);
    });
  }

  test("is refused when a forger recomputed every checksum but the registered one", async () => {
    const manifest = await readFile(join(path, "manifest.json"), "utf8");
    const checksums = await readFile(join(path, "SHA256SUMS"), "utf8");
    const forged = manifest.replace('"seed": 1', '"seed": 2');
    assert.notEqual(forged, manifest);
    await writeFile(join(path, "manifest.json"), forged);
    await writeFile(join(path, "SHA256SUMS"), checksums.replace(sha256(manifest), sha256(forged)));
    await assert.rejects(store.load(version, manifestSha256), { code: "ARTIFACT_REFUSED" });
    await writeFile(join(path, "manifest.json"), manifest);
    await writeFile(join(path, "SHA256SUMS"), checksums);
    await store.load(version, manifestSha256);
  });

  test("is refused for a NaN, another format or another model, though every checksum fits", async () => {
    const file = await readFile(join(path, "model.safetensors"));
    const withNaN = Buffer.from(file);
    const weights = withNaN.indexOf(Buffer.from(Float32Array.from([3, 2, 1]).buffer));
    assert.ok(weights > 0);
    withNaN.writeFloatLE(Number.NaN, weights);
    const forgeries: [Uint8Array, Partial<Record<keyof Manifest, unknown>>, RegExp][] = [
      [withNaN, {}, /finite/],
      [file, { formatVersion: 2 }, /format 1/],
      [file, { version: "popularity-other" }, /its own manifest/],
      [file, { recipe: "item-knn" }, /as its manifest says/],
      [file, { items: 4 }, /as its manifest says/],
    ];
    const forged = join(folder, "popularity-forged");
    for (const [bytes, changes, message] of forgeries) {
      await mkdir(forged);
      const facts = { version: "popularity-forged", sha256: sha256(bytes), bytes: bytes.length };
      const manifest = JSON.stringify({ ...describeTiny(facts), ...changes });
      const checksums = `${facts.sha256}  model.safetensors\n${sha256(manifest)}  manifest.json\n`;
      await writeFile(join(forged, "model.safetensors"), bytes);
      await writeFile(join(forged, "manifest.json"), manifest);
      await writeFile(join(forged, "SHA256SUMS"), checksums);
      await assert.rejects(store.load("popularity-forged"), { code: "ARTIFACT_REFUSED", message });
      await rm(forged, { recursive: true });
    }
  });

  test("is refused to a writer of the same content too, with the remedy", async () => {
    await truncate(join(path, "model.safetensors"), 10);
    await assert.rejects(store.write(tinyModel(1), describeTiny), {
      code: "ARTIFACT_REFUSED",
      message: /restore its folder from a copy/,
    });
  });
});
