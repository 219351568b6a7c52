import Type from "typebox";
import { PhasewiseError } from "../../errors.ts";
import type { MadeKey } from "../../keys/key-store.ts";
import { KeyView, Origin, Scope } from "../../keys/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { ADMIN, callerOf } from "../plugins/auth.ts";
import { ERROR_RESPONSES } from "../schemas.ts";

/** A server's key is bounded by what a replica can do; a browser's by what pages need. */
const DEFAULT_REQUESTS_PER_MINUTE = { secret: 600_000, publishable: 6_000 } as const;
const DEFAULT_OVERLAP_SECONDS = 3600;
const MAX_OVERLAP_SECONDS = 7 * 86_400;

const KeyParams = Type.Object(
  { id: Type.String({ pattern: "^[0-9a-f]{12}$", description: "the id of a key" }) },
  { additionalProperties: false },
);

const Made = Type.Object({
  key: Type.String({ description: "the key itself: shown this once, and stored nowhere" }),
  ...KeyView.properties,
});

const CreateBody = Type.Object(
  {
    name: Type.String({ pattern: "^[ -~]{1,64}$", description: "who uses it, 1 to 64 printable characters" }),
    kind: Type.Optional(
      Type.Union([Type.Literal("secret"), Type.Literal("publishable")], {
        description: "secret (a server's, the default) or publishable (a browser's: it only gets answers)",
      }),
    ),
    scopes: Type.Optional(Type.Array(Scope, { minItems: 1, maxItems: 4, uniqueItems: true })),
    origins: Type.Optional(
      Type.Array(Origin, { minItems: 1, maxItems: 50, description: "pages that may use a publishable key" }),
    ),
    requestsPerMinute: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000_000, description: "at each replica, 1 to 10,000,000" }),
    ),
  },
  { additionalProperties: false, description: "{name, kind?, scopes?, origins?, requestsPerMinute?}" },
);

/** Keys are made, listed, rotated and revoked while the service runs. */
export function keyRoutes(app: App, { keys, keyRing, now }: ServingDeps): void {
  /** The replica that makes a change follows it before it answers; that the others will is a matter of moments. */
  const followed = async <T>(change: Promise<T>): Promise<T> => {
    const changed = await change;
    await keyRing.refresh().catch(() => {});
    return changed;
  };

  app.get(
    "/keys",
    {
      config: ADMIN,
      schema: {
        summary: "Every key, revoked ones too, without what it could be made from",
        response: { 200: Type.Object({ keys: Type.Array(KeyView) }), ...ERROR_RESPONSES },
      },
    },
    async () => ({ keys: (await keys.all()).map(({ secrets: _, ...view }) => view) }),
  );

  app.post(
    "/keys",
    {
      config: ADMIN,
      schema: {
        summary: "A new key, shown once",
        body: CreateBody,
        response: { 201: Made, ...ERROR_RESPONSES },
      },
    },
    async (request, reply) => {
      const { name, kind = "secret", scopes, origins = [], requestsPerMinute } = request.body;
      const order = {
        name,
        kind,
        scopes: kind === "publishable" ? ["serve" as const] : (scopes ?? []),
        origins,
        requestsPerMinute: requestsPerMinute ?? DEFAULT_REQUESTS_PER_MINUTE[kind],
      };
      if (kind === "publishable" ? origins.length === 0 || scopes !== undefined : origins.length > 0) {
        throw badOrder(
          "origins",
          "origins and no scopes for a publishable key, and no origins for a secret one",
        );
      }
      if (order.scopes.length === 0)
        throw badOrder("scopes", "at least one of serve, ingest, operate, admin");
      const actor = callerOf(request).keyId;
      const made = await followed(keys.create(order, actor, now()));
      return await reply.status(201).send(shown(made));
    },
  );

  app.post(
    "/keys/:id/rotate",
    {
      config: ADMIN,
      schema: {
        summary: "A new secret under the same id; the one before works a while longer",
        params: KeyParams,
        body: Type.Object(
          {
            overlapSeconds: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: MAX_OVERLAP_SECONDS,
                description: `how long the present secret still works, 0 to ${MAX_OVERLAP_SECONDS} (default ${DEFAULT_OVERLAP_SECONDS})`,
              }),
            ),
          },
          { additionalProperties: false, description: "{overlapSeconds?}" },
        ),
        response: { 200: Made, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { overlapSeconds = DEFAULT_OVERLAP_SECONDS } = request.body;
      const actor = callerOf(request).keyId;
      return shown(await followed(keys.rotate(request.params.id, overlapSeconds, actor, now())));
    },
  );

  app.delete(
    "/keys/:id",
    {
      config: ADMIN,
      schema: {
        summary: "Revokes a key, at once and for good; a repeat changes nothing",
        params: KeyParams,
        response: { 200: KeyView, ...ERROR_RESPONSES },
      },
    },
    async (request) => followed(keys.revoke(request.params.id, callerOf(request).keyId, now())),
  );
}

function shown({ key, view }: MadeKey) {
  return { key, ...view };
}

function badOrder(field: string, expected: string): PhasewiseError {
  return new PhasewiseError("BAD_REQUEST", `${field}: expected ${expected}`, { field });
}
