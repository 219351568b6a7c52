import { canonicalJson, sha256 } from "../../models/canonical-json.ts";

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

/** Position of the first link that was altered, or that does not follow the one before it; null when all hold. */
export function firstBrokenLink(links: readonly Link[], previousSha256 = GENESIS_SHA256): number | null {
  let previous = previousSha256;
  for (const [position, link] of links.entries()) {
    if (link.previousSha256 !== previous || link.sha256 !== linkSha256(link)) return position;
    previous = link.sha256;
  }
  return null;
}
