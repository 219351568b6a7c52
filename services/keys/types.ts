import Type, { type Static } from "typebox";

export const Scope = Type.Union(
  [Type.Literal("serve"), Type.Literal("ingest"), Type.Literal("operate"), Type.Literal("admin")],
  { description: "one of serve, ingest, operate, admin" },
);

/** An origin as a browser writes it: scheme, host and, unless it is the usual one, port. */
export const Origin = Type.String({
  pattern: "^https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?$",
  description: "an origin such as https://shop.example",
});

const Instant = Type.String({ description: "ISO 8601" });

/** What a key is, without anything that it could be made from. */
export const KeyView = Type.Object({
  id: Type.String({ description: "its public part" }),
  name: Type.String(),
  kind: Type.Union([Type.Literal("secret"), Type.Literal("publishable")]),
  scopes: Type.Array(Scope),
  origins: Type.Array(Origin, { description: "of a publishable key: the pages that may use it" }),
  requestsPerMinute: Type.Integer({ description: "at each replica" }),
  createdAt: Instant,
  createdBy: Type.String({ description: "id of the key that made it" }),
  rotatedAt: Type.Union([Instant, Type.Null()]),
  revokedAt: Type.Union([Instant, Type.Null()]),
  revokedBy: Type.Union([Type.String(), Type.Null()]),
});
export type KeyView = Readonly<Static<typeof KeyView>>;

/** As stored. Two secrets at a time at most: the present one, and the one before for as long as it still works. */
export const KeyRecord = Type.Object({
  ...KeyView.properties,
  secrets: Type.Array(
    Type.Object({ sha256: Type.String(), expiresAt: Type.Union([Type.Integer(), Type.Null()]) }),
  ),
});
export type KeyRecord = Readonly<Static<typeof KeyRecord>>;

export type KeyOrder = Readonly<Pick<KeyView, "name" | "kind" | "scopes" | "origins" | "requestsPerMinute">>;
