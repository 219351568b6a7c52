import Type, { type Static } from "typebox";
import { PhasewiseError } from "../../errors.ts";
import { GOAL_PATTERN } from "../../registry/rollback-goal.ts";
import {
  type AuditAction,
  AuditEntry,
  CanaryResult,
  LivePointer,
  RollbackResult,
  VersionRecord,
} from "../../registry/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { OPERATE, VIEW } from "../plugins/auth.ts";
import { ERROR_RESPONSES, Limit, Reason, Version } from "../schemas.ts";
import { unknownVersion } from "./models.ts";

/** Name under which the holder of the admin key enters the audit log. */
const ACTOR = "operator";
/** What is judged of a version that serves. */
const IN_SERVICE: ReadonlySet<string> = new Set(["watch", "canary", "fleet"]);
const MOVES: ReadonlySet<AuditAction> = new Set(["promote", "force-promote", "rollback", "auto-rollback"]);

const ExpectedEpoch = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "the epoch you saw it live at: refuses also what has left and come back since",
  }),
);

const PromoteBody = Type.Object(
  {
    expectedLive: Type.Union([Version, Type.Null()], {
      description: "the version you believe is live, or null when none is",
    }),
    expectedEpoch: ExpectedEpoch,
    reason: Reason,
    force: Type.Optional(Type.Boolean({ description: "true to promote without the gate's verdict" })),
  },
  {
    additionalProperties: false,
    description: "a JSON object {expectedLive, expectedEpoch?, reason, force?}",
  },
);

const CanaryBody = Type.Object(
  {
    expectedLive: Type.Union([Version, Type.Null()], { description: "the version you believe is live" }),
    expectedEpoch: ExpectedEpoch,
    share: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      description: "the share of users on it from now on, below 1; 0 ends it, which judges nothing",
    }),
    reason: Reason,
    force: Type.Optional(Type.Boolean({ description: "true to start without the gate's verdict" })),
  },
  {
    additionalProperties: false,
    description: "a JSON object {expectedLive, expectedEpoch?, share, reason, force?}",
  },
);

const RollbackBody = Type.Object(
  {
    expectedLive: Type.Optional(Version),
    to: Type.Optional(
      Type.String({
        pattern: GOAL_PATTERN,
        description:
          'where to: "previous" (the default), "floor", "phase 1" to "phase 4", or a version that was live',
      }),
    ),
    reason: Reason,
    dryRun: Type.Optional(Type.Boolean({ description: "true to be told what would be done, and no more" })),
  },
  { additionalProperties: false, description: "a JSON object {expectedLive?, to?, reason, dryRun?}" },
);

const ReleaseBody = Type.Object(
  { reason: Reason },
  { additionalProperties: false, description: "a JSON object {reason}" },
);

const UnfreezeBody = Type.Object(
  { reason: Reason },
  { additionalProperties: false, description: "a JSON object {reason}" },
);

export const Promoted = Type.Object({ live: LivePointer });
export type Promoted = Readonly<Static<typeof Promoted>>;

export const Released = Type.Object({
  changed: Type.Boolean({ description: "false when it faces the gate already" }),
  record: VersionRecord,
});
export type Released = Readonly<Static<typeof Released>>;

export const Unfrozen = Type.Object({
  changed: Type.Boolean({ description: "false when nothing was frozen" }),
});
export type Unfrozen = Readonly<Static<typeof Unfrozen>>;

export const LiveView = Type.Object({
  live: Type.Union([LivePointer, Type.Null()]),
  history: Type.Array(AuditEntry, { description: "moves of the live pointer, newest last" }),
});
export type LiveView = Readonly<Static<typeof LiveView>>;

export function promotionRoutes(app: App, deps: ServingDeps): void {
  app.post(
    "/models/:version/promote",
    {
      config: OPERATE,
      schema: {
        summary: "Makes a version the live one, if the live one is still the one you mean",
        params: Type.Object({ version: Version }, { additionalProperties: false }),
        body: PromoteBody,
        response: { 200: Promoted, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { version } = request.params;
      if ((await deps.registry.version(version)) === null) throw unknownVersion(version);
      await refuseUnlessItLoads(deps, version);
      const live = await deps.registry.promote({ ...request.body, version, actor: ACTOR });
      await deps.live.follow(live);
      return { live };
    },
  );

  app.post(
    "/models/:version/canary",
    {
      config: OPERATE,
      schema: {
        summary: "Puts a share of the users on a version first; again with another share to widen or end it",
        params: Type.Object({ version: Version }, { additionalProperties: false }),
        body: CanaryBody,
        response: {
          200: CanaryResult,
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const { version } = request.params;
      if ((await deps.registry.version(version)) === null) throw unknownVersion(version);
      if (request.body.share > 0) await refuseUnlessItLoads(deps, version);
      const result = await deps.registry.canary({ ...request.body, version, actor: ACTOR });
      await deps.live.follow(result.live);
      return result;
    },
  );

  app.post(
    "/rollback",
    {
      config: OPERATE,
      schema: {
        summary: "Back to a version that was live before, at once; a repeat is a no-op that says so",
        description:
          "What is left is RETIRED: an operator's rollback judges nothing; QUARANTINED where the gate has proven its harm or failure since it went live. Without expectedLive a second call within a minute does nothing. While a canary runs, a rollback that names neither a version nor a goal ends the canary only; name the live version in expectedLive to leave that.",
        body: RollbackBody,
        response: {
          200: RollbackResult,
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const asked = { ...request.body, actor: ACTOR };
      const { changed, to, left } = await deps.registry.rollback({ ...asked, dryRun: true });
      // The version before and the floor are in memory. What lies deeper is loaded first, before the pointer moves to it.
      if (changed && asked.to !== undefined && asked.to !== "previous") await refuseUnlessItLoads(deps, to);
      const order = changed ? { ...asked, decisionId: await provenHarmOf(deps, left) } : asked;
      const result = await deps.registry.rollback(order);
      await deps.live.follow(result.live);
      return result;
    },
  );

  app.post(
    "/models/:version/release",
    {
      config: OPERATE,
      schema: {
        summary: "Lets a quarantined or retired version face the gate again; a repeat is a no-op",
        params: Type.Object({ version: Version }, { additionalProperties: false }),
        body: ReleaseBody,
        response: { 200: Released, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { version } = request.params;
      const { reason } = request.body;
      const changed = await deps.registry.release({ version, reason, actor: ACTOR });
      const record = await deps.registry.version(version);
      if (record === null) throw unknownVersion(version);
      return { changed, record };
    },
  );

  app.post(
    "/unfreeze",
    {
      config: OPERATE,
      schema: {
        summary: "Allows promotions again after automatic rollbacks have frozen them; a repeat is a no-op",
        body: UnfreezeBody,
        response: { 200: Unfrozen, ...ERROR_RESPONSES },
      },
    },
    async (request) => ({ changed: await deps.registry.unfreeze(request.body.reason, ACTOR) }),
  );

  app.get(
    "/live",
    {
      config: VIEW,
      schema: {
        summary: "What is live, and what was live when",
        querystring: Type.Object({ limit: Limit }, { additionalProperties: false }),
        response: {
          200: LiveView,
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const [live, entries] = await Promise.all([deps.registry.live(), deps.registry.audit()]);
      const moves = entries.filter(({ action }) => MOVES.has(action));
      return { live, history: moves.slice(-(request.query.limit ?? 100)) };
    },
  );
}

/** Id of the record by which the gate would have left this version by itself, had it been allowed to. */
async function provenHarmOf(
  { decisions, registry }: Pick<ServingDeps, "decisions" | "registry">,
  version: string,
): Promise<string | undefined> {
  const since = (await registry.live())?.since ?? "";
  const judged = await decisions.summaries({ challenger: version, limit: 20 });
  return judged.find(
    ({ about, ruling, at }) => IN_SERVICE.has(about) && ruling.verdict === "reject" && at >= since,
  )?.id;
}

/** A version this replica cannot serve must not become live for all of them. */
async function refuseUnlessItLoads(deps: ServingDeps, version: string): Promise<void> {
  try {
    await deps.live.tryOut(version);
  } catch (error) {
    if (!(error instanceof PhasewiseError)) throw error;
    throw new PhasewiseError(
      "NOT_PROMOTABLE",
      `${version} cannot be served: ${error.message}`,
      { version },
      error,
    );
  }
}
