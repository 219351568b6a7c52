import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { foreignArray } from "../../../models/exchange/foreign-arrays.ts";
import { readSafetensors, type Safetensors } from "../../../models/safetensors/safetensors.ts";

/** A file of one array "w" from raw elements. */
function fileOf(dtype: string, elements: ArrayBufferView): Uint8Array {
  const { buffer, byteLength } = elements;
  const length = byteLength / ({ F64: 8, I64: 8, F32: 4 }[dtype] ?? 2);
  const header = JSON.stringify({ w: { dtype, shape: [length], data_offsets: [0, byteLength] } });
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + byteLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(new Uint8Array(buffer), 8 + text.length);
  return file;
}

const valuesOf = ({ tensors }: Safetensors): number[] => Array.from(tensors.get("w")?.data ?? []);

test("float64 becomes the nearest float32", () => {
  const read = readSafetensors(fileOf("F64", Float64Array.of(0.1, -2, 1e-60)), foreignArray);
  assert.ok(read.tensors.get("w")?.data instanceof Float32Array);
  assert.deepEqual(valuesOf(read), [Math.fround(0.1), -2, 0]);
});

test("half floats keep their value: ends of the range, the smallest of both kinds, zeros", () => {
  // Of IEEE 754 binary16: 1, −2, 65504, 2^−14, 2^−24, 0, −0, 1/3 rounded.
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0, 0x8000, 0x3555);
  const expected = [1, -2, 65504, 2 ** -14, 2 ** -24, 0, -0, 0.333251953125];
  assert.deepEqual(valuesOf(readSafetensors(fileOf("F16", bits), foreignArray)), expected);
});

test("bfloat16 is the upper half of a float32", () => {
  const bits = Uint16Array.of(0x3f80, 0xc000, 0x3eab, 0x0080);
  const expected = [1, -2, 0.333984375, 2 ** -126];
  assert.deepEqual(valuesOf(readSafetensors(fileOf("BF16", bits), foreignArray)), expected);
});

test("what is not finite, or does not fit into float32, is refused", () => {
  for (const [dtype, elements] of [
    ["F64", Float64Array.of(1e300)],
    ["F64", Float64Array.of(Number.NaN)],
    ["F16", Uint16Array.of(0x7c00)],
    ["F16", Uint16Array.of(0xfe00)],
    ["BF16", Uint16Array.of(0xff80)],
  ] as const) {
    assert.throws(
      () => readSafetensors(fileOf(dtype, elements), foreignArray),
      /expected finite values in "w"/,
    );
  }
});

test("64-bit whole numbers hold no factors and are left out; an artifact may not hold them at all", () => {
  const file = fileOf("I64", BigInt64Array.of(7n));
  assert.equal(readSafetensors(file, foreignArray).tensors.size, 0);
  assert.throws(() => readSafetensors(file), /expected a dtype of F32, I32, U32, I8, U8 for "w", got "I64"/);
});

const PACKAGE = `
import sys
import numpy as np
from safetensors.numpy import save_file
w = np.array([[0.5, -1.25], [3.0, 0.1]])
for kind in ("float64", "float32", "float16"):
    save_file({"w": w.astype(kind), "ids": np.array([7, 8])}, f"{sys.argv[1]}/{kind}.safetensors")
`;
const python = spawnSync("python3", ["-c", "import safetensors.numpy"]).status === 0;

test("files of Python's safetensors are read in every precision, with ids beside them", {
  skip: python ? false : "python3 has no safetensors with NumPy here (pip install safetensors numpy)",
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "phasewise-foreign-"));
  try {
    const { status, stderr } = spawnSync("python3", ["-c", PACKAGE, folder], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    for (const kind of ["float64", "float32", "float16"]) {
      const file = new Uint8Array(readFileSync(join(folder, `${kind}.safetensors`)));
      const { tensors } = readSafetensors(file, foreignArray);
      assert.deepEqual([...tensors.keys()], ["w"]);
      assert.deepEqual(tensors.get("w")?.shape, [2, 2]);
      const [a, b, c, d] = tensors.get("w")?.data ?? [];
      assert.deepEqual([a, b, c], [0.5, -1.25, 3]);
      assert.ok(Math.abs(d - 0.1) < 1e-4);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
