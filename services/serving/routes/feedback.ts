import Type, { type Static } from "typebox";
import { BURST_MS } from "../../../models/data/burst.ts";
import { strengthOf, weightsOf } from "../../../models/data/event-rules.ts";
import { itemId, userId } from "../../../models/data/ids.ts";
import { PhasewiseError } from "../../errors.ts";
import type { EventLog, FeedbackEvent } from "../../interactions/types.ts";
import { type Caller, requireOwnUser, vouchesForUsers } from "../../keys/caller.ts";
import type { App, ServingDeps } from "../deps.ts";
import { eventTime } from "../event-times.ts";
import { callerOf, INGEST } from "../plugins/auth.ts";
import { ERROR_RESPONSES, ItemIdText, Rating, Timestamp, UserIdText, Weight } from "../schemas.ts";
import { WriteGate } from "../write-gate.ts";

const MAX_EVENTS = 500;
const BODY_LIMIT_BYTES = 256 * 1024;

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
            description:
              "a kind of event: watch, play, listen, view, click, rating, like, cart, purchase, impression, skip, dislike, hide, remove, or one of the policy's own (lower case, up to 32 characters)",
          }),
          rating: Type.Optional(Rating),
          weight: Type.Optional(Weight),
          timestamp: Type.Optional(Timestamp),
          requestId: Type.Optional(
            Type.String({
              pattern: "^[A-Za-z0-9._-]{1,200}$",
              description: "the requestId of the list the user chose from",
            }),
          ),
        },
        {
          additionalProperties: false,
          description: "an event {eventId, userId, itemId, type, rating?, weight?, timestamp?, requestId?}",
        },
      ),
      { minItems: 1, maxItems: MAX_EVENTS, description: `a list of 1 to ${MAX_EVENTS} events` },
    ),
  },
  { additionalProperties: false, description: "a JSON object {events: [...]}" },
);

type EventBody = Static<typeof FeedbackBody>["events"][number];

/** What the event means by the policy. @throws BAD_REQUEST naming the field and the remedy */
function understood(deps: ServingDeps, event: EventBody, position: number, now: number): FeedbackEvent {
  const { type, rating } = event;
  const { rules } = deps;
  const refuse = (field: string, message: string): never => {
    throw new PhasewiseError("BAD_REQUEST", `events.${position}.${field}: ${message}`, {
      field: `events.${position}.${field}`,
    });
  };
  const { minimum, maximum } = rules.ratings;
  if (rating !== undefined && !(rating >= minimum && rating <= maximum)) {
    refuse(
      "rating",
      `expected ${minimum} to ${maximum}, got ${rating}; the scale stands in the policy (ratings)`,
    );
  }
  const weights = weightsOf(rules);
  const meant = strengthOf({ type, rating }, rules, weights);
  if (meant === undefined) {
    const known = Object.keys(weights).join(", ");
    refuse("type", `expected one of ${known}, got "${type}"; give it a weight in the policy (events)`);
  }
  const weight = event.weight ?? meant;
  const item = itemId(event.itemId);
  const { current } = deps.catalogue;
  if (current.size > 0 && !current.has(item)) {
    deps.metrics.unknownItems.inc();
    if (rules.unknownItems === "refuse") {
      refuse(
        "itemId",
        `expected an item of the catalogue, got "${item}"; add it first, or keep such events (policy unknownItems)`,
      );
    }
  }
  return {
    ...event,
    userId: userId(event.userId),
    itemId: item,
    timestamp: eventTime(event.timestamp, now, `events.${position}.timestamp`),
    ...(weight === (rating ?? 1) ? {} : { weight }),
  };
}

export function feedbackRoutes(app: App, deps: ServingDeps): void {
  const gate = new WriteGate();
  const append: EventLog["append"] = (events, now) => gate.write(() => deps.events.append(events, now));
  app.post(
    "/feedback",
    {
      config: INGEST,
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        summary: "What users did; a repeated eventId has no second effect, so a retry is safe",
        body: FeedbackBody,
        response: {
          202: Type.Object({
            accepted: Type.Integer(),
            duplicates: Type.Integer(),
            erased: Type.Optional(
              Type.Integer({ description: "dropped: they happened before their users were erased" }),
            ),
          }),
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request, reply) => {
      const now = deps.now();
      const events = request.body.events.map((event, position) => understood(deps, event, position, now));
      const caller = callerOf(request);
      if (!vouchesForUsers(caller)) {
        deps.metrics.unvouched.inc({ what: "event" }, events.length);
        return await reply.status(202).send(deps.visitors.add(events, now));
      }
      for (const [position, event] of events.entries()) {
        requireOwnUser(caller, event.userId, `events.${position}.userId`);
        requireLately(caller, now, event, `events.${position}.timestamp`);
      }
      for (const user of new Set(events.map(({ userId: user }) => user))) {
        request.server.requestLimits.user(caller, user, reply);
      }
      const outcome = await append(
        events.map((event) => ({
          ...event,
          requestId: listOf(deps, event, now),
          source: caller.keyId,
        })),
        now,
      );
      if (outcome.duplicates === 0 && outcome.erased === undefined) deps.histories.accepted(events, now);
      else deps.histories.outdated(events);
      return await reply.status(202).send(outcome);
    },
  );
}

/**
 * A back end may say what happened long ago. A browser may not: evidence counts by when a user first did something, and
 * many who appear within one hour are a burst, whatever times they would like to have come at.
 * @throws BAD_REQUEST
 */
function requireLately(
  { user }: Caller,
  now: number,
  { timestamp = now }: FeedbackEvent,
  field: string,
): void {
  if (user === null || now - timestamp <= BURST_MS) return;
  throw new PhasewiseError(
    "BAD_REQUEST",
    `${field}: expected a time within the last hour, as from any browser, got ${new Date(timestamp).toISOString()}; let the back end send what is older`,
    { field },
  );
}

/**
 * The list that the event answers to. A name that the service did not give this user is counted, and the event is
 * organic.
 */
function listOf(
  { requestIds, metrics }: ServingDeps,
  { requestId, userId: user }: FeedbackEvent,
  now: number,
): string | undefined {
  if (requestId === undefined) return undefined;
  const id = requestIds.idOf(requestId, user, now);
  if (id !== null) return id;
  metrics.forgedRequestIds.inc();
  return undefined;
}
