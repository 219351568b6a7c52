import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { KernelPool } from "../../../models/kernels/pool.ts";

const poolUrl = new URL("../../../models/kernels/pool.js", import.meta.url).href;

function runScript(body: string): { status: number | null; stdout: string } {
  const script = `import { KernelPool } from ${JSON.stringify(poolUrl)};\n${body}`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
}

test("a process ends by itself after its pool is closed", () => {
  const { status, stdout } = runScript(
    "const pool = await KernelPool.open(3, () => 0); await pool.close(); console.log('closed');",
  );
  assert.deepEqual({ status, stdout }, { status: 0, stdout: "closed\n" });
});

test("a forgotten pool does not keep the process alive", () => {
  const { status, stdout } = runScript("await KernelPool.open(2, () => 0); console.log('open');");
  assert.deepEqual({ status, stdout }, { status: 0, stdout: "open\n" });
});

test("closing twice is harmless", async () => {
  const pool = await KernelPool.open(2, () => 64);
  await pool.close();
  await pool.close();
});

test("a thread count that is no positive integer is refused", async () => {
  for (const threads of [0, -1, 1.5, Number.NaN]) {
    await assert.rejects(
      KernelPool.open(threads, () => 0),
      /threads: expected a positive integer/,
    );
  }
});

test("a kernel that traps on another thread fails the call instead of hanging it", async () => {
  const pool = await KernelPool.open(2, () => 64);
  // Far outside the memory: the read traps on whichever thread takes the rows.
  const outside = new Array<number>(9).fill(0xf0000000);
  assert.throws(() => pool.run("alsCholesky", 64, 1, [...outside, 4]));
  await pool.close();
});
