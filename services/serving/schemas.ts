import Type from "typebox";
import { VERSION_PATTERN } from "../../models/artifact/manifest.ts";
import { MAX_ID_BYTES } from "../../models/data/ids.ts";
import { Phase } from "../../models/recipe.ts";
import { SOURCES } from "../../models/recommender.ts";
import { HistoryOrigin } from "./histories.ts";

/** Most items a list may hold. */
export const MAX_K = 100;

/** Any text that has an encoding: of 1 to 512 bytes, as at import, without spaces around it and without half letters. */
const idText = (what: string) =>
  Type.Refine(
    Type.String({
      minLength: 1,
      maxLength: MAX_ID_BYTES,
      description: `${what} of 1 to ${MAX_ID_BYTES} bytes, without spaces around it`,
    }),
    (id) => Buffer.byteLength(id) <= MAX_ID_BYTES && id.isWellFormed() && !/^[ \t]|[ \t]$/.test(id),
    () => `must be ${what} of 1 to ${MAX_ID_BYTES} bytes, without spaces around it`,
  );

export const UserIdText = idText("a user id");
export const ItemIdText = idText("an item id");
export const Version = Type.String({
  pattern: VERSION_PATTERN,
  description: "a version id such as als-0123456789ab",
});
export const Reason = Type.String({
  pattern: "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]{1,500}$",
  description: "a reason in words, 1 to 500 characters, for the audit log",
});
export const K = Type.Integer({
  minimum: 1,
  maximum: MAX_K,
  description: `a whole number of items, 1 to ${MAX_K}`,
});
export const Timestamp = Type.Union(
  [
    Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 }),
    Type.String({
      pattern: "^\\d{4}-\\d\\d-\\d\\d([T ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:?\\d\\d)?)?$",
    }),
  ],
  { description: "a time in epoch milliseconds, or in ISO 8601 such as 2024-05-01T10:00:00Z" },
);
export const Rating = Type.Number({
  minimum: -1_000_000,
  maximum: 1_000_000,
  description: "a rating within the scale of the policy (ratings.minimum, ratings.maximum)",
});

export const Weight = Type.Number({
  minimum: -1_000_000,
  maximum: 1_000_000,
  description:
    "what the event counts for, in place of its type and rating: above 0 interest, 0 exposure, below 0 against",
});

export const LiveModelView = Type.Object({
  version: Type.String(),
  phase: Phase,
  recipe: Type.String(),
});

export const ListedItem = Type.Object({
  itemId: Type.String(),
  title: Type.String(),
  genres: Type.Array(Type.String()),
  score: Type.Number({
    description:
      "falls along the list; comparable within one list only, and by place alone in an interleaved one",
  }),
});

export const ListSource = Type.Enum([...SOURCES], { type: "string", description: "who made the list" });

export const RecommendationView = Type.Object({
  requestId: Type.String(),
  items: Type.Array(ListedItem),
  model: LiveModelView,
  interleavedWith: Type.Optional(
    Type.String({ description: "the challenger whose list is mixed into the live model's, when one is" }),
  ),
  source: ListSource,
  history: HistoryOrigin,
});

/** The one shape of every error body. */
export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    field: Type.Optional(Type.String()),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    requestId: Type.String(),
  }),
});

/** Errors that any route may answer with, for the API description. */
export const ERROR_RESPONSES = { "4xx": ErrorBody, "5xx": ErrorBody } as const;

export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 1000, description: "a whole number of entries, 1 to 1000" }),
);
