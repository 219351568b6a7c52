import Type from "typebox";
import { itemId } from "../../../models/data/ids.ts";
import { PhasewiseError } from "../../errors.ts";
import { ItemChange } from "../../items/item-changes.ts";
import type { App, ServingDeps } from "../deps.ts";
import { OPERATE, SERVE } from "../plugins/auth.ts";
import { ERROR_RESPONSES, ItemIdText, K, ListedItem, ListSource, LiveModelView } from "../schemas.ts";

const DEFAULT_K = 10;

const MAX_ITEMS = 500;

const ItemsBody = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        { itemId: ItemIdText, ...ItemChange.properties },
        { additionalProperties: false, description: "an item {itemId, title?, genres?, year?, available?}" },
      ),
      { minItems: 1, maxItems: MAX_ITEMS, description: `a list of 1 to ${MAX_ITEMS} items` },
    ),
  },
  { additionalProperties: false, description: "a JSON object {items: [...]}" },
);

export function itemRoutes(app: App, deps: ServingDeps): void {
  app.put(
    "/items",
    {
      config: OPERATE,
      bodyLimit: 1024 * 1024,
      schema: {
        summary:
          "Changes or adds items, hides them (available: false) or restores them, in all replicas within a second",
        body: ItemsBody,
        response: { 200: Type.Object({ items: Type.Integer() }), ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const changes = new Map(request.body.items.map(({ itemId: id, ...change }) => [itemId(id), change]));
      await deps.itemChanges.change(changes);
      return { items: changes.size };
    },
  );

  app.get(
    "/items/:itemId/similar",
    {
      config: SERVE,
      schema: {
        summary: "What the live model recommends to somebody who has seen this one item",
        params: Type.Object({ itemId: ItemIdText }, { additionalProperties: false }),
        querystring: Type.Object({ k: Type.Optional(K) }, { additionalProperties: false }),
        response: {
          200: Type.Object({
            item: Type.Object({
              itemId: Type.String(),
              title: Type.String(),
              genres: Type.Array(Type.String()),
            }),
            items: Type.Array(ListedItem),
            model: LiveModelView,
            source: ListSource,
          }),
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const id = itemId(request.params.itemId);
      // Without a catalogue nobody knows which items there are: the model says what it can.
      if (deps.catalogue.current.size > 0 && !deps.catalogue.current.has(id)) {
        throw new PhasewiseError("NOT_FOUND", `itemId: expected an item of the catalogue, got "${id}"`, {
          field: "itemId",
        });
      }
      await request.server.turns.next();
      const { recommendation, model } = deps.live.recommend({
        history: [{ itemId: id, timestamp: deps.now(), weight: 1 }],
        hidden: deps.catalogue.hidden,
        k: request.query.k ?? DEFAULT_K,
      });
      const listed = (item: typeof id) => {
        const { title, genres } = deps.catalogue.current.named(item);
        return { itemId: item, title, genres: [...genres] };
      };
      return {
        item: listed(id),
        items: recommendation.items.map(({ itemId: other, score }) => ({ ...listed(other), score })),
        model: { version: model.version, phase: model.phase, recipe: model.recipe },
        source: recommendation.source,
      };
    },
  );
}
