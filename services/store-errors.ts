import { PhasewiseError } from "./errors.ts";

/**
 * What ioredis and Redis say when the store cannot be reached, is stuck, still loading, or full. Everything
 * else (a wrong type, a script error) is a defect of ours and passes through unchanged.
 */
const UNAVAILABLE =
  /^(OOM|LOADING|MISCONF|READONLY|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOAUTH|WRONGPASS|EXECABORT)\b|Command timed out|Connection is closed|isn't writeable|max retries per request|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|maxmemory/i;

function asStoreError(attempt: string, error: unknown): unknown {
  if (error instanceof PhasewiseError || !(error instanceof Error)) return error;
  const text = `${error.message} ${"code" in error ? String(error.code) : ""}`;
  if (!UNAVAILABLE.test(text) && error.name !== "MaxRetriesPerRequestError") return error;
  return new PhasewiseError(
    "STORE_UNAVAILABLE",
    `${attempt}: expected Redis to answer, got "${error.message}"; whether the change took effect is unknown, so retry with the same ids`,
    {},
    error,
  );
}

/** Awaits Redis work; failures of the store itself come out as STORE_UNAVAILABLE, naming the `attempt`. */
export async function fromStore<T>(attempt: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asStoreError(attempt, error);
  }
}
