/**
 * Every error a caller of Phasewise can meet: one code, one HTTP status, one sentence that says what was
 * expected, what was got, and what to do.
 */
export const ERROR_STATUS = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  LIVE_VERSION_CHANGED: 409,
  EVENT_ID_REUSED: 409,
  NOT_PROMOTABLE: 409,
  NOTHING_TO_ROLL_BACK: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  EXPECTATION_FAILED: 417,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  NOT_READY: 503,
  STORE_UNAVAILABLE: 503,
  OVERLOADED: 503,
  ARTIFACT_REFUSED: 500,
  INVALID_DATA: 400,
  INVALID_CONFIGURATION: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export class PhasewiseError extends Error {
  readonly code: ErrorCode;
  readonly statusCode: number;
  /** Machine-readable facts that go with the message, e.g. the current live version. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PhasewiseError";
    this.code = code;
    this.statusCode = ERROR_STATUS[code];
    this.details = details;
  }
}
