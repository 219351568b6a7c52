import Type, { type Static } from "typebox";
import type { Decision } from "../../../models/gate/decision.ts";
import { PhasewiseError } from "../../errors.ts";
import { DecisionSummary } from "../../registry/decision-summary.ts";
import { AuditEntry } from "../../registry/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { OPERATE, VIEW } from "../plugins/auth.ts";
import { ERROR_RESPONSES, Limit } from "../schemas.ts";

const DEFAULT_LIMIT = 100;

const DecisionParams = Type.Object(
  { id: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", description: "a decision id" }) },
  { additionalProperties: false },
);

export const Decisions = Type.Object({ decisions: Type.Array(DecisionSummary) });
export type Decisions = Readonly<Static<typeof Decisions>>;

export const PlaceInChain = Type.Object({
  position: Type.Union([Type.Integer(), Type.Null()], {
    description: "from 1; null when the decision is no link of the chain",
  }),
  firstBroken: Type.Union([Type.String(), Type.Null()], {
    description: "the id of the first decision that does not verify; null when the whole chain holds",
  }),
});
export type PlaceInChain = Readonly<Static<typeof PlaceInChain>>;

export const AuditLog = Type.Object({
  entries: Type.Array(AuditEntry),
  firstBroken: Type.Union([Type.Integer(), Type.Null()], {
    description: "the sequence of the first entry that does not verify; null when the whole chain holds",
  }),
});
export type AuditLog = Readonly<Static<typeof AuditLog>>;

/** What was decided and done, and why: decisions of the gate, and the audit log. */
export function recordRoutes(app: App, deps: ServingDeps): void {
  const querystring = Type.Object({ limit: Limit }, { additionalProperties: false });

  app.get(
    "/decisions",
    {
      config: VIEW,
      schema: {
        summary: "Decisions of the gate, newest first, without their evidence",
        querystring,
        response: { 200: Decisions, ...ERROR_RESPONSES },
      },
    },
    async (request) => ({
      decisions: [...(await deps.decisions.summaries({ limit: request.query.limit ?? DEFAULT_LIMIT }))],
    }),
  );

  app.get(
    "/decisions/:id",
    {
      config: VIEW,
      schema: {
        summary: "One decision with all its evidence",
        params: DecisionParams,
        response: {
          200: Type.Unsafe<Decision>({
            description: "the record as it was sealed, with evidence and policy",
          }),
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const decision = await deps.decisions.get(request.params.id);
      if (decision === null) throw unknownDecision(request.params.id);
      return decision;
    },
  );

  app.get(
    "/decisions/:id/chain",
    {
      config: OPERATE,
      schema: {
        summary: "Whether the hash chain of all decisions verifies, and a decision's place in it",
        params: DecisionParams,
        response: {
          200: PlaceInChain,
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      if ((await deps.decisions.get(id)) === null) throw unknownDecision(id);
      const [position, firstBroken] = await Promise.all([
        deps.decisions.position(id),
        deps.decisions.verify(),
      ]);
      return { position, firstBroken };
    },
  );

  app.get(
    "/audit",
    {
      config: OPERATE,
      schema: {
        summary: "The audit log, newest last, and whether its hash chain verifies",
        querystring,
        response: {
          200: AuditLog,
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const [entries, firstBroken] = await Promise.all([
        deps.registry.audit(request.query.limit ?? DEFAULT_LIMIT),
        deps.registry.verifyAudit(),
      ]);
      return { entries: [...entries], firstBroken };
    },
  );
}

function unknownDecision(id: string): PhasewiseError {
  return new PhasewiseError("NOT_FOUND", `id: expected the id of a known decision, got "${id}"`, {
    field: "id",
  });
}
