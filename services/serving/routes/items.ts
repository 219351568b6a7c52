import Type from "typebox";
import { itemId } from "../../../models/data/ids.ts";
import { PhasewiseError } from "../../errors.ts";
import type { App, ServingDeps } from "../deps.ts";
import { SERVE } from "../plugins/auth.ts";
import { ERROR_RESPONSES, ItemIdText, K, ListedItem, ListSource, LiveModelView } from "../schemas.ts";

const DEFAULT_K = 10;

export function itemRoutes(app: App, deps: ServingDeps): void {
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
      if (!deps.catalogue.current.has(id)) {
        throw new PhasewiseError("NOT_FOUND", `itemId: expected an item of the catalogue, got "${id}"`, {
          field: "itemId",
        });
      }
      const { recommendation, model } = deps.live.recommend({
        history: [{ itemId: id, timestamp: deps.now(), weight: 1 }],
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
