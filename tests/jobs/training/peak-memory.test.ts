import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const module = JSON.stringify(new URL("../../../jobs/training/peak-memory.js", import.meta.url).href);
const skip = process.platform === "linux" ? false : "only Linux forgets a peak";

test("a training is not charged for the memory of the one before it", { skip }, () => {
  const script = `
    import { forgetPeakMemory, peakMemoryMb } from ${module};
    let large = Buffer.alloc(300e6, 1);
    const first = peakMemoryMb();
    large = null;
    gc();
    forgetPeakMemory();
    console.log(JSON.stringify([first, peakMemoryMb()]));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--expose-gc", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
    },
  );
  const [first, second] = JSON.parse(stdout || stderr) as [number, number];
  assert.ok(first > 300 && second < 200, `${first} MB, then ${second} MB`);
});
