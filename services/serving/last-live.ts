import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { LivePointer } from "../registry/types.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { Version } from "./schemas.ts";

const LastLive = Compile(Type.Intersect([LivePointer, Type.Object({ version: Version, floor: Version })]));

/** The live pointer as last seen, in a local file: a replica that starts while Redis is down serves from it. */
export class LastLiveFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Null when there is no file, or none that makes sense: it is a convenience, never an authority. */
  async read(): Promise<LivePointer | null> {
    try {
      // Files of earlier releases have no lineage and no stack, and a replica that starts from one needs neither.
      const before = { lineage: "", stack: [], byRollback: false, lastLeft: null };
      const pointer: unknown = { ...before, ...JSON.parse(await readFile(this.#path, "utf8")) };
      return LastLive.Check(pointer) ? pointer : null;
    } catch {
      return null;
    }
  }

  async write(pointer: LivePointer): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await replaceFile(this.#path, JSON.stringify(pointer), 0o600);
  }
}
