/**
 * A process that trains a small network with its checkpoint in a file, tells its parent of every epoch, and at the end
 * of the digest of all arrays: `fork(trainer, [checkpointFile])`.
 */
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { sasrec } from "../../models/neural/sasrec.ts";
import { circle, SMALL_SASREC } from "../models/support/circle.ts";

const file = process.argv[2];
const checkpoint = {
  load: async () => await readFile(file).catch(() => null),
  save: async (bytes: Uint8Array) => {
    await writeFile(`${file}.new`, bytes);
    await rename(`${file}.new`, file);
  },
};

const { arrays } = await sasrec.fit(circle(), SMALL_SASREC, {
  seed: 7,
  checkpoint,
  onProgress: ({ message }) => process.send?.({ epoch: message }),
});
const hash = createHash("sha256");
for (const name of Object.keys(arrays).sort()) {
  const { data, shape } = arrays[name];
  hash.update(`${name} ${shape}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
process.send?.({ digest: hash.digest("hex") }, () => process.disconnect());
