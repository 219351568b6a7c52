import { canonicalJson, sha256 } from "./canonical-json.ts";

/** What the first link of a chain follows. */
export const GENESIS_SHA256 = "0".repeat(64);

export interface Link {
  readonly previousSha256: string;
  readonly sha256: string;
}

/** SHA-256 of a link's content: the canonical JSON of everything but its own `sha256` and the `id` made from it. */
export function linkSha256(link: object): string {
  const { sha256: _own, id: _derived, ...content } = link as Partial<Link> & { id?: unknown };
  return sha256(canonicalJson(content));
}

export function sealed<T extends { readonly previousSha256: string }>(content: T): T & Link {
  return { ...content, sha256: linkSha256(content) };
}

export interface BrokenLink {
  readonly index: number;
  readonly problem: string;
}

/** The first link that was altered, or that does not follow the one before it; null when all hold. Oldest first. */
export function brokenLink(links: readonly Link[], from = GENESIS_SHA256): BrokenLink | null {
  let previous = from;
  for (const [index, link] of links.entries()) {
    const actual = linkSha256(link);
    if (link.previousSha256 !== previous)
      return { index, problem: `expected previousSha256 ${previous}, got ${link.previousSha256}` };
    if (link.sha256 !== actual)
      return { index, problem: `expected sha256 ${actual} of its content, got ${link.sha256}` };
    previous = link.sha256;
  }
  return null;
}
