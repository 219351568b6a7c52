import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { PhasewiseError } from "../errors.ts";

const SAMPLE_BYTES = 65_536;

export interface TextSample {
  /** The beginning of the file, unpacked; its last line may be torn. */
  readonly text: string;
  /** Part of the file that the text is, by bytes on disk: 0 … 1. */
  readonly share: number;
  /** Whether that is all there is. */
  readonly whole: boolean;
}

/** Reads the beginning of a text file of `size` bytes, through gunzip when the name ends in .gz. @throws INVALID_DATA */
export async function sampleText(path: string, size: number): Promise<TextSample> {
  const file = createReadStream(path, { highWaterMark: SAMPLE_BYTES });
  const packed = /\.gz$/i.test(path);
  const pieces: Buffer[] = [];
  let length = 0;
  let whole = true;
  const unpacked = packed ? file.pipe(createGunzip()) : file;
  file.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const piece of unpacked) {
      pieces.push(piece);
      length += piece.length;
      if (length >= SAMPLE_BYTES) {
        whole = false;
        break;
      }
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))) throw error;
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a gzip file, got one that cannot be unpacked (${error.message}); ` +
        "pack it anew, or drop .gz from the name of a plain file",
      { path },
      error,
    );
  }
  file.destroy();
  const bytes = Buffer.concat(pieces);
  whole ||= !packed && bytes.length >= size;
  const share = whole ? 1 : Math.min(1, packed ? file.bytesRead / size : bytes.length / size);
  return { text: bytes.toString("latin1").replace(/^\u00ef\u00bb\u00bf/, ""), share, whole };
}
