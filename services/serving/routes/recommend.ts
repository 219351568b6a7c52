import type { FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { strengthOf } from "../../../models/data/event-rules.ts";
import { itemId, userId } from "../../../models/data/ids.ts";
import type { ItemFilter, Query } from "../../../models/recommender.ts";
import type { HeldList } from "../../holdback/types.ts";
import { excluding } from "../../interactions/seen-filter.ts";
import { requireOwnUser, vouchesForUsers } from "../../keys/caller.ts";
import type { ShadowRequest } from "../../queues/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { eventTime } from "../event-times.ts";
import type { KnownHistory } from "../histories.ts";
import type { InterleavedAnswer } from "../interleaving.ts";
import type { Answer } from "../lineup.ts";
import { callerOf, SERVE } from "../plugins/auth.ts";
import {
  ERROR_RESPONSES,
  ItemIdText,
  K,
  Rating,
  RecommendationView,
  Timestamp,
  UserIdText,
} from "../schemas.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Copy of the answered request, when it is in the shadow's sample. */
    shadowCopy: ShadowRequest | null;
    /** The same of a user who is on the floor for good, or a twin of one. */
    heldList: HeldList | null;
  }
}

const DEFAULT_K = 10;
const MAX_EXCLUDED = 1000;
const MAX_SESSION_ITEMS = 1000;

const Genre = Type.String({ minLength: 1, maxLength: 64, description: "a genre of the catalogue" });

const RecommendQuery = Type.Object(
  {
    userId: Type.Optional(UserIdText),
    k: Type.Optional(K),
    genre: Type.Optional(Genre),
    exclude: Type.Optional(
      Type.String({ maxLength: 8192, description: "item ids never to recommend, separated by commas" }),
    ),
  },
  { additionalProperties: false },
);

const SessionItem = Type.Union(
  [
    ItemIdText,
    Type.Object(
      { itemId: ItemIdText, timestamp: Type.Optional(Timestamp), rating: Type.Optional(Rating) },
      { additionalProperties: false },
    ),
  ],
  { description: "an item id, or {itemId, timestamp?, rating?}" },
);

const RecommendBody = Type.Object(
  {
    userId: Type.Optional(UserIdText),
    history: Type.Optional(
      Type.Array(SessionItem, {
        maxItems: MAX_SESSION_ITEMS,
        description: `what the session did so far, oldest first, at most ${MAX_SESSION_ITEMS} items; used instead of a stored history`,
      }),
    ),
    k: Type.Optional(K),
    exclude: Type.Optional(
      Type.Array(ItemIdText, {
        maxItems: MAX_EXCLUDED,
        description: `at most ${MAX_EXCLUDED} item ids never to recommend`,
      }),
    ),
    filter: Type.Optional(
      Type.Object(
        { genre: Type.Optional(Genre) },
        { additionalProperties: false, description: "which items may be recommended: {genre?}" },
      ),
    ),
  },
  { additionalProperties: false, description: "a JSON object {userId?, history?, k?, exclude?, filter?}" },
);

/** What both methods ask, once they are read. */
interface Asked {
  readonly userId: string | null;
  readonly session: readonly Static<typeof SessionItem>[] | null;
  readonly k: number;
  readonly exclude: readonly string[];
  readonly genre: string | undefined;
  readonly candidates: ItemFilter | undefined;
}

export function recommendRoutes(app: App, deps: ServingDeps): void {
  app.decorateRequest("shadowCopy", null);
  app.decorateRequest("heldList", null);
  app.addHook("onResponse", (request, _reply, done) => {
    if (request.shadowCopy !== null) deps.shadow.offer(request.shadowCopy);
    if (request.heldList !== null) deps.holdback.offer(request.heldList);
    done();
  });
  const responses = { 200: RecommendationView, ...ERROR_RESPONSES };

  app.get(
    "/recommend",
    {
      config: SERVE,
      schema: {
        summary: "A list for a user, or the popular list for nobody in particular",
        querystring: RecommendQuery,
        response: responses,
      },
    },
    async (request, reply) => {
      const { userId: user, k, genre, exclude } = request.query;
      const candidates = genre === undefined ? undefined : deps.catalogue.current.filterOf(genre, "genre");
      return await answer(deps, request, reply, {
        userId: user ?? callerOf(request).user,
        session: null,
        k: k ?? DEFAULT_K,
        exclude: exclude === undefined ? [] : exclude.split(",").filter((id) => id !== ""),
        genre,
        candidates,
      });
    },
  );

  app.post(
    "/recommend",
    {
      config: SERVE,
      schema: {
        summary: "The same for a session that is not stored, or with longer lists of exclusions",
        body: RecommendBody,
        response: responses,
      },
    },
    async (request, reply) => {
      const { userId: user, history, k, exclude, filter } = request.body;
      const genre = filter?.genre;
      const candidates =
        genre === undefined ? undefined : deps.catalogue.current.filterOf(genre, "filter.genre");
      return await answer(deps, request, reply, {
        userId: user ?? callerOf(request).user,
        session: history ?? null,
        k: k ?? DEFAULT_K,
        exclude: exclude ?? [],
        genre,
        candidates,
      });
    },
  );
}

async function answer(
  deps: ServingDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Asked,
): Promise<Static<typeof RecommendationView>> {
  const now = deps.now();
  const caller = callerOf(request);
  const vouched = vouchesForUsers(caller);
  if (asked.userId !== null) requireOwnUser(caller, asked.userId, "userId");
  if (!vouched) deps.metrics.unvouched.inc({ what: "request" });
  else if (asked.userId !== null) request.server.requestLimits.user(caller, asked.userId, reply);
  const known = historyOf(deps, asked, vouched, now);
  const history = known instanceof Promise ? await known : known;
  deps.metrics.histories.inc({ origin: history.origin });
  const query = {
    history: history.interactions,
    revision: history.through === null || asked.session !== null ? undefined : history,
    exclude: excluding(asked.exclude.map(itemId), history.seen),
    hidden: deps.catalogue.hidden,
    candidates: asked.candidates,
    k: asked.k,
  };
  await request.server.turns.next();
  const arm = deps.holdback.armOf(vouched ? asked.userId : null);
  const fromFloor = arm === "floor" ? deps.live.recommendFromFloor(query) : null;
  const live = fromFloor ?? deps.live.recommend(query, vouched ? asked.userId : null);
  const { model } = live;
  const origin = { requestId: request.id, source: caller.keyId };
  const mixed =
    deps.interleaving.challenger === null || fromFloor !== null
      ? null
      : await mixedWith(deps, origin, asked, history, query, live);
  const recommendation = mixed?.recommendation ?? live.recommendation;
  // Evidence is only what was asked through a key and answered from the store: anybody can make up a history.
  const evidence = vouched && asked.session === null && history.through !== null;
  if (evidence && arm !== null && asked.userId !== null && isHeldOff(deps, fromFloor)) {
    const items = recommendation.items.map((item) => item.itemId);
    const { id: requestId } = request;
    const { userId, k } = asked;
    request.heldList = { requestId, userId, arm, historyThrough: history.through, k, items };
  }
  // What users of the floor choose answers the floor's lists: it judges no challenger.
  if (evidence && fromFloor === null && deps.shadow.samples(request.id, asked.userId, now)) {
    request.shadowCopy = {
      requestId: request.id,
      userId: asked.userId,
      historyThrough: history.through,
      k: asked.k,
      exclude: asked.exclude,
      genre: asked.genre,
      source: caller.keyId,
      liveVersion: model.version,
      ...(live.canary ? { canary: true as const } : {}),
      served: recommendation.items.map((item) => item.itemId),
      at: now,
    };
  }
  reply.header("cache-control", "no-store");
  return {
    // Signed for nobody when the caller may name anybody.
    requestId: deps.requestIds.sign(request.id, vouched ? (asked.userId ?? "") : "", model.version, now),
    items: recommendation.items.map(({ itemId: id, score }) => {
      const { title, genres } = deps.catalogue.current.named(id);
      return { itemId: id, title, genres: [...genres], score };
    }),
    model: { version: model.version, phase: model.phase, recipe: model.recipe },
    ...(mixed === null ? {} : { interleavedWith: mixed.interleavedWith }),
    source: recommendation.source,
    history: history.origin,
  };
}

/** While the floor is live, or does not answer, the two arms are served alike, and there is nothing to compare. */
function isHeldOff({ live: { lineup } }: ServingDeps, fromFloor: Answer | null): boolean {
  return fromFloor !== null || (lineup?.floor != null && lineup.floor.version !== lineup.live.version);
}

/** Only stored users are interleaved: their feedback comes back, and their store has just answered in time. */
async function mixedWith(
  deps: ServingDeps,
  origin: { readonly requestId: string; readonly source: string },
  asked: Asked,
  history: KnownHistory,
  query: Query,
  live: Answer,
): Promise<InterleavedAnswer | null> {
  if (asked.userId === null || asked.session !== null || history.through === null) return null;
  return await deps.interleaving.mix({
    ...origin,
    userId: userId(asked.userId),
    historyThrough: history.through,
    query,
    live,
  });
}

const NOBODY: KnownHistory = { interactions: [], seen: null, through: 0, origin: "empty" };

/** @param vouched whether the caller may read what the store knows of the user */
function historyOf(
  deps: ServingDeps,
  asked: Asked,
  vouched: boolean,
  now: number,
): KnownHistory | Promise<KnownHistory> {
  if (asked.session !== null) {
    const interactions = asked.session.map((item) =>
      typeof item === "string"
        ? { itemId: itemId(item), timestamp: now, weight: 1 }
        : {
            itemId: itemId(item.itemId),
            timestamp: eventTime(item.timestamp, now, "history") ?? now,
            weight: sessionWeight(deps, item),
          },
    );
    return { interactions, seen: null, through: 0, origin: "request" };
  }
  if (asked.userId === null) return NOBODY;
  if (!vouched) {
    const interactions = deps.visitors.historyOf(userId(asked.userId));
    return {
      interactions,
      seen: null,
      through: null,
      origin: interactions.length === 0 ? "empty" : "visitor",
    };
  }
  return deps.histories.of(userId(asked.userId));
}

const sessionWeight = (
  { rules }: ServingDeps,
  { rating }: { readonly rating?: number | undefined },
): number => strengthOf({ type: "rating", rating }, rules) ?? 1;
