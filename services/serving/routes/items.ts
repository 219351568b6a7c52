import Type, { type Static } from "typebox";
import { type ItemId, itemId } from "../../../models/data/ids.ts";
import { PhasewiseError } from "../../errors.ts";
import { availableAt } from "../../items/changed-catalogue.ts";
import { both, type ItemChange, ItemChangeBody, itemChange } from "../../items/item-change.ts";
import type { App, ServingDeps } from "../deps.ts";
import { OPERATE, SERVE } from "../plugins/auth.ts";
import { ERROR_RESPONSES, ItemIdText, K, ListedItem, ListSource, LiveModelView } from "../schemas.ts";

const DEFAULT_K = 10;

const MAX_ITEMS = 500;

const ItemsBody = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        { itemId: ItemIdText, ...ItemChangeBody.properties },
        {
          additionalProperties: false,
          description:
            "an item {itemId, title?, genres?, year?, attributes?, available?, availableFrom?, availableUntil?}",
        },
      ),
      { minItems: 1, maxItems: MAX_ITEMS, description: `a list of 1 to ${MAX_ITEMS} items` },
    ),
  },
  { additionalProperties: false, description: "a JSON object {items: [...]}" },
);

const DEFAULT_PAGE = 100;

const Moment = Type.Union([Type.String(), Type.Null()], { description: "ISO 8601; null for no such bound" });

export const ItemView = Type.Object({
  itemId: Type.String(),
  title: Type.String(),
  genres: Type.Array(Type.String()),
  year: Type.Union([Type.Integer(), Type.Null()]),
  attributes: Type.Record(
    Type.String(),
    Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())]),
  ),
  available: Type.Boolean({ description: "false where an operator hid it" }),
  availableFrom: Moment,
  availableUntil: Moment,
  hidden: Type.Boolean({ description: "whether it is kept out of every list now" }),
  scored: Type.Union([Type.Boolean(), Type.Null()], {
    description:
      "whether the live model has learnt of it: lists hold it then; a new item waits for feedback and the next training. Null while nothing is live",
  }),
});
export type ItemView = Static<typeof ItemView>;

function viewOf({ catalogue, live, now }: ServingDeps, id: ItemId): ItemView {
  const info = catalogue.current.infoOf(id);
  const { available, from, until } = info?.availability ?? {};
  const iso = (time: number | undefined): string | null =>
    time === undefined ? null : new Date(time).toISOString();
  return {
    itemId: id,
    title: info?.title ?? id,
    genres: [...(info?.genres ?? [])],
    year: info?.year ?? null,
    attributes: Object.fromEntries(
      Object.entries(info?.attributes ?? {}).map(([name, value]) => [
        name,
        typeof value === "object" ? [...value] : value,
      ]),
    ),
    available: available !== false,
    availableFrom: iso(from),
    availableUntil: iso(until),
    hidden: info?.availability !== undefined && !availableAt(info.availability, now()).is,
    scored: live.lineup === null ? null : live.lineup.live.items.has(id),
  };
}

const unknownItem = (id: ItemId): PhasewiseError =>
  new PhasewiseError("NOT_FOUND", `itemId: expected an item of the catalogue, got "${id}"`, {
    field: "itemId",
  });

export function itemRoutes(app: App, deps: ServingDeps): void {
  app.put(
    "/items",
    {
      config: OPERATE,
      bodyLimit: 1024 * 1024,
      schema: {
        summary:
          "Changes or adds items, hides or restores them, or bounds when lists may hold them, in all replicas within a second",
        body: ItemsBody,
        response: { 200: Type.Object({ items: Type.Integer() }), ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const changes = new Map<ItemId, ItemChange>();
      for (const [position, { itemId: id, ...said }] of request.body.items.entries()) {
        const change = itemChange(said, `items.${position}`);
        changes.set(itemId(id), both(changes.get(itemId(id)) ?? {}, change));
      }
      await deps.itemChanges.change(changes);
      return { items: changes.size };
    },
  );

  app.get(
    "/items",
    {
      config: OPERATE,
      schema: {
        summary:
          "Items as they are known now, a page at a time: the imported ones, then those added since, by id",
        querystring: Type.Object(
          {
            from: Type.Optional(
              Type.Integer({ minimum: 0, description: "how many items to pass over, 0 or more" }),
            ),
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: MAX_ITEMS, description: `1 to ${MAX_ITEMS} items` }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ items: Type.Array(ItemView), total: Type.Integer() }),
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const { from, limit } = request.query;
      const { current } = deps.catalogue;
      const items = current.page(from ?? 0, limit ?? DEFAULT_PAGE).map((id) => viewOf(deps, id));
      return { items, total: current.size };
    },
  );

  app.get(
    "/items/:itemId",
    {
      config: OPERATE,
      schema: {
        summary: "What is known of an item, and whether lists may hold it",
        params: Type.Object({ itemId: ItemIdText }, { additionalProperties: false }),
        response: { 200: ItemView, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const id = itemId(request.params.itemId);
      if (!deps.catalogue.current.has(id)) throw unknownItem(id);
      return viewOf(deps, id);
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
        throw unknownItem(id);
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
