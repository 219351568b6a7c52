/** Identifiers as the outside world writes them. Dense indices never leave `models/`; these do. */
export type ItemId = string & { readonly __brand: "ItemId" };
export type UserId = string & { readonly __brand: "UserId" };

export const itemId = (text: string): ItemId => text as ItemId;
export const userId = (text: string): UserId => text as UserId;

/** Longest id, in bytes of UTF-8: the same wherever ids come in. */
export const MAX_ID_BYTES = 512;
