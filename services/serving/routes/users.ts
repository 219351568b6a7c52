import Type from "typebox";
import { userId } from "../../../models/data/ids.ts";
import type { App, ServingDeps } from "../deps.ts";
import { ADMIN } from "../plugins/auth.ts";
import { ERROR_RESPONSES, UserIdText } from "../schemas.ts";
import { JobAdded } from "./jobs.ts";

const UserParams = Type.Object({ userId: UserIdText }, { additionalProperties: false });

const UserView = Type.Object({
  userId: Type.String(),
  history: Type.Array(
    Type.Object({
      itemId: Type.String(),
      timestamp: Type.Number(),
      weight: Type.Number(),
      requestId: Type.Union([Type.String(), Type.Null()]),
    }),
    { description: "oldest first" },
  ),
  seenBefore: Type.Array(Type.String(), {
    description:
      "items of the catalogue seen before what the history still holds, and rarely one that was not",
  }),
});

export function userRoutes(app: App, deps: ServingDeps): void {
  app.get(
    "/users/:userId",
    {
      config: ADMIN,
      schema: {
        summary: "What is known of a user; phasewise export-user has the events in the snapshot too",
        params: UserParams,
        response: { 200: UserView, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { userId: user } = request.params;
      const { entries, seen } = await deps.events.history(userId(user));
      const history = entries.map(({ sequence: _, ...entry }) => entry);
      return {
        userId: user,
        history,
        seenBefore: seen === null ? [] : [...deps.catalogue.current.ids].filter((item) => seen.has(item)),
      };
    },
  );

  app.delete(
    "/users/:userId",
    {
      config: ADMIN,
      schema: {
        summary: "Erases every trace of a user: the history at once, everything else in the background",
        params: UserParams,
        response: { 202: JobAdded, ...ERROR_RESPONSES },
      },
    },
    async (request, reply) => {
      const { userId: user } = request.params;
      await deps.events.forget(userId(user), deps.now());
      deps.histories.forget(userId(user));
      deps.visitors.forget(userId(user));
      const jobId = await deps.producers.addErase(user);
      return await reply.status(202).send({ jobId });
    },
  );

  app.delete(
    "/users/:userId/events/:eventId",
    {
      config: ADMIN,
      schema: {
        summary:
          "Undoes an event that is not folded into the snapshot yet; sent again, it has no effect either",
        params: Type.Object(
          {
            userId: UserIdText,
            eventId: Type.String({ minLength: 1, maxLength: 128, description: "an event id" }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ undone: Type.Boolean() }), ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { userId: user, eventId } = request.params;
      await deps.events.undo(userId(user), eventId);
      deps.histories.forget(userId(user));
      return { undone: true };
    },
  );
}
