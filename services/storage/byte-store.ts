/*
 * Where bytes rest: a folder today, a bucket tomorrow. Names are paths with slashes, relative to the store. What is
 * put is whole or not there at all, and safe once the promise resolves. A store knows nothing of what it holds:
 * whoever reads checks it.
 */

/** The bytes of a file, or what writes them to the local path it is given. */
export type Content = Uint8Array | ((localPath: string) => Promise<void>);

export interface Facts {
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly writtenAtMs: number;
  /** Another one whenever the content may be another: an ETag. */
  readonly mark: string;
}

export interface ByteStore {
  /** For messages: where it is. */
  readonly place: string;
  /** Of one file, so that its size is known before it is read; null when there is none of this name. */
  find(name: string): Promise<Facts | null>;
  /** The whole file; null when there is none of this name. */
  read(name: string): Promise<Uint8Array | null>;
  /** Hands over a local path with the content of a file, for a library that reads nothing else. @throws NOT_FOUND */
  readLocally<T>(name: string, use: (localPath: string) => Promise<T>): Promise<T>;
  /**
   * Puts all files into a new group, `group/file`: they appear together. False, and nothing changes, when there is
   * such a group already, also when another writer was faster.
   * @throws STORE_UNAVAILABLE when there is no room
   */
  write(group: string, files: ReadonlyMap<string, Content>): Promise<boolean>;
  /** Puts one file, over what stands there; of writers at the same time the last wins. @throws STORE_UNAVAILABLE */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  /** Names of the files and groups directly in a group ("" for the store itself), sorted. */
  list(group: string): Promise<readonly string[]>;
  /** Removes a file, or a group with all in it. Nothing happens when there is none. */
  remove(name: string): Promise<void>;
}

/** A part of a store, as a store of its own. */
export function within(store: ByteStore, group: string): ByteStore {
  const named = (name: string): string => (name === "" ? group : `${group}/${name}`);
  return {
    place: `${store.place}/${group}`,
    find: (name) => store.find(named(name)),
    read: (name) => store.read(named(name)),
    readLocally: (name, use) => store.readLocally(named(name), use),
    write: (name, files) => store.write(named(name), files),
    replace: (name, bytes) => store.replace(named(name), bytes),
    list: (name) => store.list(named(name)),
    remove: (name) => store.remove(named(name)),
  };
}
