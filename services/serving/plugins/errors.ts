import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ERROR_STATUS, type ErrorCode, PhasewiseError } from "../../errors.ts";
import { withoutKeys } from "../../keys/api-key.ts";
import type { App } from "../deps.ts";

/** Refusals that pass by themselves: a client should come back after this many seconds. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  NOT_READY: 2,
  STORE_UNAVAILABLE: 1,
  OVERLOADED: 1,
};

/** Every error of every route leaves through here, in one shape, with one log line. */
export function handleErrors(app: App): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const [path] = request.url.split("?");
    const message = `no route ${request.method} ${path.slice(0, 200)}; see /docs`;
    sendError(new PhasewiseError("NOT_FOUND", message), request, reply);
  });
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = asPhasewiseError(error);
  const status = known?.statusCode ?? 500;
  const facts = { route: request.routeOptions.url, status, code: known?.code ?? "INTERNAL" };
  // Refusing must stay cheap just when there is too much to do; `phasewise_refused_total` counts these.
  // Of a client that is gone nobody hears the reply; what closed its connection has a line of its own.
  const unheard = status < 500 && request.raw.aborted;
  if (known?.code === "OVERLOADED" || unheard) request.log.debug(facts, "request refused");
  else if (status >= 500) request.log.error({ ...facts, err: error }, "request failed");
  else request.log.info({ ...facts, reason: withoutKeys(known?.message ?? "") }, "request refused");

  const retryAfter =
    known === null ? undefined : (known.details.retryAfterSeconds ?? RETRY_AFTER_SECONDS[known.code]);
  if (retryAfter !== undefined && !reply.hasHeader("retry-after")) reply.header("retry-after", retryAfter);
  void reply
    .status(status)
    .type("application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send({ error: { ...bodyOf(known), requestId: request.id } });
}

/** A server's fault is described in general terms; a refusal that passes keeps its message, which says the remedy. */
function bodyOf(error: PhasewiseError | null): Record<string, unknown> {
  if (error === null || error.statusCode === 500) {
    return {
      code: error?.code ?? "INTERNAL",
      message: "the service failed; the log has it under this requestId",
    };
  }
  const { field, ...details } = error.details;
  return {
    code: error.code,
    message: error.message,
    ...(field === undefined ? {} : { field }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** Null for an error that is none of ours. */
function asPhasewiseError(error: unknown): PhasewiseError | null {
  if (error instanceof PhasewiseError) return error;
  if (!(error instanceof Error)) return null;
  const { statusCode, code } = error as Partial<FastifyError>;
  if (statusCode === ERROR_STATUS.PAYLOAD_TOO_LARGE) {
    return new PhasewiseError("PAYLOAD_TOO_LARGE", `${error.message}; send less at once`);
  }
  if (statusCode === ERROR_STATUS.RATE_LIMITED) return new PhasewiseError("RATE_LIMITED", error.message);
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    return new PhasewiseError("UNSUPPORTED_MEDIA_TYPE", "content-type: expected application/json", {
      field: "content-type",
    });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new PhasewiseError("BAD_REQUEST", error.message);
  }
  return null;
}
