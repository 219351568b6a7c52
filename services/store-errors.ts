import { PhasewiseError } from "./errors.ts";

/**
 * What ioredis and Redis say when the store cannot be reached, is stuck, still loading, full, or not for us to use.
 * Everything else (a wrong type, a script error) is a defect of ours and passes through unchanged.
 */
const UNAVAILABLE =
  /^(OOM|LOADING|MISCONF|READONLY|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOAUTH|NOPERM|WRONGPASS|EXECABORT)\b|Command timed out|Connection is closed|isn't writeable|max retries per request|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|maxmemory|ACL failure/i;

const AFTER_A_READ = "nothing was changed, so ask again";
const AFTER_A_WRITE = "whether the change took effect is unknown, so retry with the same ids";

/** Awaits a read of Redis; failures of the store itself come out as STORE_UNAVAILABLE, naming the `attempt`. */
export function fromStore<T>(attempt: string, work: Promise<T>): Promise<T> {
  return heard(attempt, work, AFTER_A_READ);
}

/** The same of a write, of which nobody knows whether it took effect. */
export function toStore<T>(attempt: string, work: Promise<T>): Promise<T> {
  return heard(attempt, work, AFTER_A_WRITE);
}

async function heard<T>(attempt: string, work: Promise<T>, remedy: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asStoreError(attempt, error, remedy);
  }
}

function asStoreError(attempt: string, error: unknown, remedy: string): unknown {
  if (error instanceof PhasewiseError || !(error instanceof Error)) return error;
  if (!isUnavailable(error)) return error;
  return new PhasewiseError(
    "STORE_UNAVAILABLE",
    `${attempt}: expected Redis to answer, got "${error.message}"; ${remedy}`,
    {},
    error,
  );
}

/** Whether it is the store that failed, and not what it was asked. */
export function isUnavailable(error: Error): boolean {
  const text = `${error.message} ${"code" in error ? String(error.code) : ""}`;
  return UNAVAILABLE.test(text) || error.name === "MaxRetriesPerRequestError";
}
