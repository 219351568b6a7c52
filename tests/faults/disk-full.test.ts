import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../models/artifact/manifest.ts";
import { itemId } from "../../models/data/ids.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import type { Model } from "../../models/model.ts";
import { artifactStore } from "../../services/artifacts/artifact-store.ts";
import { folderStore } from "../../services/storage/folder-store.ts";
import { describeTiny, tinyModel } from "../support/tiny-model.ts";

const DISK = "256k";
/** 400 kB of arrays: more than the disk holds. */
const BIG_ITEMS = 50_000;

function bigModel(): Model {
  const counts = new Float32Array(BIG_ITEMS).fill(1);
  return {
    ...tinyModel(1),
    items: new Vocabulary(Array.from(counts, (_, n) => itemId(`i${n}`))),
    floor: counts,
    arrays: { counts: { shape: [BIG_ITEMS], data: counts } },
  };
}

describe("F8: the disk fills while an artifact is written", () => {
  let disk: string;
  let mounted = false;
  before(async () => {
    disk = await mkdtemp(join(tmpdir(), "phasewise-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", disk], { stdio: "ignore" });
      mounted = true;
    } catch {
      // Only root may mount; the test says so and skips.
    }
  });
  after(async () => {
    if (mounted) execFileSync("umount", [disk]);
    await rm(disk, { recursive: true, force: true });
  });

  test("nothing is at the final name, the error says what to do, the old model serves", async (context) => {
    if (!mounted) return context.skip("needs leave to mount a small tmpfs (run as root)");
    const store = artifactStore(folderStore(disk));
    const old = await store.write(tinyModel(1), describeTiny);
    const before = await readdir(disk);
    const describeBig = (file: Parameters<typeof describeTiny>[0]): Manifest => ({
      ...describeTiny(file),
      items: BIG_ITEMS,
    });
    await assert.rejects(store.write(bigModel(), describeBig), {
      code: "STORE_UNAVAILABLE",
      message: /expected room for \d+ bytes in .+, got ENOSPC; nothing was stored, free some space/,
    });
    assert.deepEqual(await readdir(disk), before);
    await store.load(old.manifest.version, old.manifestSha256);
    await store.write(tinyModel(2), describeTiny);
    assert.equal((await readdir(disk)).length, 2);
  });
});
