import { type FileHandle, open } from "node:fs/promises";

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const RLE = 1;
const RESERVED = 3;

/**
 * Whether a zstd file ends where its last frame does (RFC 8878, section 3.1): a reader that takes what it can get would
 * read a file that was cut short as a shorter one, in silence. Only the headers of frames and blocks are looked at.
 */
export async function isWholeZstd(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let at = 0;
    while (at < size) {
      const next = await frameEnd(file, at);
      if (next === null || next > size) return false;
      at = next;
    }
    return true;
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, at: number, count: number): Promise<Buffer | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, at);
  return bytesRead === count ? buffer : null;
}

/** Position after the frame at `at`; null when it is broken or cut. */
async function frameEnd(file: FileHandle, at: number): Promise<number | null> {
  const head = await bytesAt(file, at, 8);
  if (head === null) return null;
  const magic = head.readUInt32LE(0);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) return at + 8 + head.readUInt32LE(4);
  if (magic !== FRAME) return null;
  const descriptor = head[4];
  const single = (descriptor >> 5) & 1;
  const sizeFlag = descriptor >> 6;
  const contentSizeBytes = sizeFlag === 0 ? single : 1 << sizeFlag;
  let position = at + 5 + (single === 1 ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3] + contentSizeBytes;
  for (;;) {
    const header = await bytesAt(file, position, 3);
    if (header === null) return null;
    const block = header.readUIntLE(0, 3);
    const type = (block >> 1) & 3;
    if (type === RESERVED) return null;
    position += 3 + (type === RLE ? 1 : block >> 3);
    if ((block & 1) === 1) return position + ((descriptor >> 2) & 1) * 4;
  }
}
