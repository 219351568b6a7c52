import Type from "typebox";
import { itemId, userId } from "../../../models/data/ids.ts";
import { PhasewiseError } from "../../errors.ts";
import { vouchesForUsers } from "../../keys/caller.ts";
import type { App, ServingDeps } from "../deps.ts";
import { callerOf, INGEST } from "../plugins/auth.ts";
import { ERROR_RESPONSES, ItemIdText, Rating, Timestamp, UserIdText } from "../schemas.ts";

const MAX_EVENTS = 500;
const BODY_LIMIT_BYTES = 256 * 1024;
/** Clocks differ a little; an event further ahead than this is a mistake in units or a broken clock. */
const MAX_AHEAD_MS = 5 * 60_000;

const FeedbackBody = Type.Object(
  {
    events: Type.Array(
      Type.Object(
        {
          eventId: Type.String({
            pattern: "^[!-~]{1,128}$",
            description: "an idempotency key of 1 to 128 printable ASCII characters without spaces",
          }),
          userId: UserIdText,
          itemId: ItemIdText,
          type: Type.String({
            pattern: "^[a-z][a-z0-9_-]{0,31}$",
            description: "a kind of event such as rating, watch or click (lower case, up to 32 characters)",
          }),
          rating: Type.Optional(Rating),
          timestamp: Type.Optional(Timestamp),
          requestId: Type.Optional(
            Type.String({
              pattern: "^[A-Za-z0-9_-]{1,64}$",
              description: "the requestId of the list the user chose from",
            }),
          ),
        },
        {
          additionalProperties: false,
          description: "an event {eventId, userId, itemId, type, rating?, timestamp?, requestId?}",
        },
      ),
      { minItems: 1, maxItems: MAX_EVENTS, description: `a list of 1 to ${MAX_EVENTS} events` },
    ),
  },
  { additionalProperties: false, description: "a JSON object {events: [...]}" },
);

export function feedbackRoutes(app: App, deps: ServingDeps): void {
  app.post(
    "/feedback",
    {
      config: INGEST,
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        summary: "What users did; a repeated eventId has no second effect, so a retry is safe",
        body: FeedbackBody,
        response: {
          202: Type.Object({ accepted: Type.Integer(), duplicates: Type.Integer() }),
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request, reply) => {
      const now = deps.now();
      const events = request.body.events.map((event, position) => {
        if (event.timestamp !== undefined && event.timestamp > now + MAX_AHEAD_MS) {
          const field = `events.${position}.timestamp`;
          throw new PhasewiseError(
            "BAD_REQUEST",
            `${field}: expected a time at most 5 minutes ahead of the server's ${now}, got ${event.timestamp}; is it in milliseconds?`,
            { field },
          );
        }
        return { ...event, userId: userId(event.userId), itemId: itemId(event.itemId) };
      });
      const caller = callerOf(request);
      if (!vouchesForUsers(caller)) {
        deps.metrics.unvouched.inc({ what: "event" }, events.length);
        return await reply.status(202).send(deps.visitors.add(events, now));
      }
      const outcome = await deps.events.append(
        events.map((event) => ({ ...event, source: caller.keyId })),
        now,
      );
      if (outcome.duplicates === 0) deps.histories.accepted(events, now);
      return await reply.status(202).send(outcome);
    },
  );
}
