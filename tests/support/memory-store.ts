import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PhasewiseError } from "../../services/errors.ts";
import type { ByteStore, Content } from "../../services/storage/byte-store.ts";

/** A store without folders, as a bucket is one: local paths are made up for the time they are used. */
export function memoryStore(): ByteStore {
  const files = new Map<string, { readonly bytes: Uint8Array; readonly writtenAtMs: number }>();
  let writes = 0;
  const marks = new Map<string, string>();
  const put = (name: string, bytes: Uint8Array): void => {
    files.set(name, { bytes: Uint8Array.from(bytes), writtenAtMs: Date.now() });
    marks.set(name, String(++writes));
  };
  const below = (group: string): string[] =>
    [...files.keys()].filter((name) => group === "" || name.startsWith(`${group}/`));

  return {
    place: "memory",
    async find(name) {
      const file = files.get(name);
      if (file === undefined) return null;
      return { bytes: file.bytes.length, writtenAtMs: file.writtenAtMs, mark: marks.get(name) ?? "" };
    },
    read: async (name) => files.get(name)?.bytes.slice() ?? null,
    async readLocally(name, use) {
      const file = files.get(name);
      if (file === undefined) throw new PhasewiseError("NOT_FOUND", `memory: expected ${name}, got no file`);
      return withLocalPath(async (path) => {
        await writeFile(path, file.bytes);
        return use(path);
      });
    },
    async write(group, contents) {
      const whole = new Map<string, Uint8Array>();
      for (const [file, content] of contents) whole.set(`${group}/${file}`, await bytesOf(content));
      if (below(group).length > 0) return false;
      for (const [name, bytes] of whole) put(name, bytes);
      return true;
    },
    replace: async (name, bytes) => put(name, bytes),
    async list(group) {
      const from = group === "" ? 0 : group.length + 1;
      return [...new Set(below(group).map((name) => name.slice(from).split("/")[0]))].sort();
    },
    async remove(name) {
      for (const gone of [name, ...below(name)]) files.delete(gone);
    },
  };
}

async function bytesOf(content: Content): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return content;
  return withLocalPath(async (path) => {
    await content(path);
    return readFile(path);
  });
}

async function withLocalPath<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "phasewise-memory-"));
  try {
    return await use(join(folder, "file"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
