import { inflateRawSync } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const LARGEST_COMMENT = 65_535;

/**
 * Reads named files out of a small zip archive in memory (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16;
 * no encryption, no Zip64). Every offset is checked, and no file may be larger than `maxFileBytes`.
 *
 * @param wanted base names, whatever folder of the archive they are in
 */
export function unzip(archive: Buffer, wanted: readonly string[], maxFileBytes: number): Map<string, Buffer> {
  const end = endOfDirectory(archive);
  const entries = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  const files = new Map<string, Buffer>();
  for (let entry = 0; entry < entries; entry++) {
    if (at + 46 > archive.length || archive.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      throw new RangeError("zip: expected a directory entry, got something else; the archive is damaged");
    }
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength);
    const base = name.slice(name.lastIndexOf("/") + 1);
    if (wanted.includes(base)) files.set(base, content(archive, at, base, maxFileBytes));
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  for (const name of wanted) {
    if (!files.has(name)) throw new RangeError(`zip: expected a file ${name}, got an archive without it`);
  }
  return files;
}

/** The record at the very end, before a comment of unknown length. */
function endOfDirectory(archive: Buffer): number {
  for (let at = archive.length - 22; at >= Math.max(0, archive.length - 22 - LARGEST_COMMENT); at--) {
    if (archive.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  }
  throw new RangeError(
    "zip: expected an archive, got a file without a directory; the download is cut or no zip",
  );
}

function content(archive: Buffer, entry: number, name: string, maxFileBytes: number): Buffer {
  const method = archive.readUInt16LE(entry + 10);
  const packedBytes = archive.readUInt32LE(entry + 20);
  const fileBytes = archive.readUInt32LE(entry + 24);
  const local = archive.readUInt32LE(entry + 42);
  if (fileBytes > maxFileBytes) {
    throw new RangeError(`zip: expected at most ${maxFileBytes} bytes of ${name}, got ${fileBytes}`);
  }
  if (local + 30 > archive.length || archive.readUInt32LE(local) !== LOCAL_ENTRY) {
    throw new RangeError(
      `zip: expected ${name} at byte ${local}, got something else; the archive is damaged`,
    );
  }
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + packedBytes);
  if (packed.length !== packedBytes) throw new RangeError(`zip: ${name} is cut short; download it again`);
  if (method === STORED) return packed;
  if (method !== DEFLATED)
    throw new RangeError(`zip: expected a deflated file, got method ${method} for ${name}`);
  return inflateRawSync(packed, { maxOutputLength: maxFileBytes });
}
