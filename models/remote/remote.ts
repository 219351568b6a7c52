import Type from "typebox";
import type { Recipe } from "../recipe.ts";

/** A ranker behind a URL: it is asked, never loaded. */
export interface RemoteParams extends Readonly<Record<string, unknown>> {
  /** Where it is asked; its origin stands in the policy's list. */
  readonly url: string;
}

const PREFIX = "remote-";
const NAME = /^remote-[a-z0-9][a-z0-9-]{0,31}$/;

/** `remote-acme` for `acme`. @throws RangeError */
export function remoteName(name: string): string {
  const full = name.startsWith(PREFIX) ? name : PREFIX + name;
  if (NAME.test(full)) return full;
  throw new RangeError(
    `remote ranker: expected a name of up to 32 small letters, digits and hyphens, got "${name}"; rename it`,
  );
}

export function isRemote(recipe: string): boolean {
  return NAME.test(recipe);
}

/** A version is named by its recipe and a hash. */
export function isRemoteVersion(version: string): boolean {
  return isRemote(version.slice(0, version.lastIndexOf("-")));
}

/**
 * What a remote ranker's version holds here: the items it may recommend and where it is asked. Loaded, it knows no more
 * than popularity: it is judged by what it answers over HTTP, in the shadow alone, and is never promoted. What it is inside nobody knows, so it stands
 * on the highest rung and pays the largest margin.
 */
export function remoteRecipe(name: string): Recipe<RemoteParams> {
  return {
    name,
    phase: 4,
    summary: "a ranker behind a URL, judged in the shadow and never served",
    schema: Type.Object(
      { url: Type.String({ description: "where it is asked" }) },
      { additionalProperties: false },
    ),
    defaults: { url: "http://127.0.0.1" },
    space: {},
    fit: () =>
      Promise.reject(
        new RangeError(
          `${name}: expected a ranker behind a URL, got a request to train it here; train it where it is, and register it again`,
        ),
      ),
    scorer: () => ({ scoreItems: () => null }),
  };
}
