import { randomUUID } from "node:crypto";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, LogController } from "fastify";
import { MAX_ID_BYTES } from "../../models/data/ids.ts";
import { type App, type AppLimits, DEFAULT_LIMITS, type ServingDeps } from "./deps.ts";
import { authenticate, authorize, knowUsers } from "./plugins/auth.ts";
import { readJsonBodies } from "./plugins/bodies.ts";
import { capClients } from "./plugins/clients.ts";
import { allowOrigins } from "./plugins/cors.ts";
import { describeApi } from "./plugins/docs.ts";
import { closeConnectionsWhenDraining } from "./plugins/draining.ts";
import { handleErrors, sendError } from "./plugins/errors.ts";
import { measure } from "./plugins/metrics.ts";
import { refuseOverload } from "./plugins/overload.ts";
import { limitRates, RequestLimits } from "./plugins/rate-limit.ts";
import { answerForNode, answerParserErrors } from "./plugins/raw-errors.ts";
import { setSecurityHeaders } from "./plugins/security-headers.ts";
import { cutSlowReaders } from "./plugins/slow-readers.ts";
import { ROUTES } from "./routes.ts";
import { type TrustedProxies, trustedProxies } from "./trusted-proxies.ts";
import { compileValidator } from "./validation.ts";

export interface AppOptions {
  readonly limits?: Partial<AppLimits> | undefined;
  /** Default: nothing is logged. */
  readonly log?: FastifyBaseLogger | undefined;
  readonly version?: string | undefined;
  /** Whose `X-Forwarded-For` is believed (default: nobody's). */
  readonly proxies?: TrustedProxies | undefined;
  /** Makes request ids (default: random UUIDs). They choose the shadow's sample and an interleaved list's coin. */
  readonly newRequestId?: (() => string) | undefined;
}

const BODY_LIMIT_BYTES = 64 * 1024;
/** Longer than the minute after which load balancers close: the side that sends requests should close first. */
const KEEP_ALIVE_MS = 72_000;

/** The whole API, from explicit dependencies; nothing listens yet. The caller owns the dependencies and closes them. */
export async function buildApp(deps: ServingDeps, options: AppOptions = {}): Promise<App> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const proxies = options.proxies ?? trustedProxies(null);
  const app: App = Fastify({
    ...(options.log === undefined ? { logger: false } : { loggerInstance: options.log }),
    logController: new LogController({ disableRequestLogging: true }),
    // An id made here: one from a header could be chosen to steer the shadow's sample.
    genReqId: options.newRequestId ?? (() => randomUUID()),
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: 3 * MAX_ID_BYTES },
    trustProxy: proxies.ranges.length === 0 ? false : [...proxies.ranges],
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 5000,
    http: { headersTimeout: 3000, connectionsCheckingInterval: 500, requireHostHeader: false },
    clientErrorHandler: (error, socket) => answerParserErrors(app.log, error, socket),
    // While closing, what still arrives on an open connection is answered, not refused.
    return503OnClosing: false,
    frameworkErrors: sendError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  readJsonBodies(app);

  handleErrors(app);
  answerForNode(app);
  setSecurityHeaders(app);
  measure(app, deps.metrics);
  closeConnectionsWhenDraining(app);
  cutSlowReaders(app, limits.writeTimeoutMs, () => deps.metrics.unreadCut.inc());
  capClients(app, limits, deps.metrics, proxies);
  refuseOverload(app, limits, deps.metrics, proxies);
  const requestLimits = new RequestLimits(limits, deps.metrics, deps.now);
  const { keyRing: keys, openToVisitors, now } = deps;
  authenticate(app, { keys, openToVisitors, limits: requestLimits, now });
  limitRates(app, requestLimits);
  allowOrigins(app, keys);
  knowUsers(app, deps.userTokens, () => deps.metrics.refusedUserTokens.inc());
  authorize(app);
  await describeApi(app, options.version ?? "0.1.0");

  for (const addRoutes of ROUTES) addRoutes(app, deps);
  await app.ready();
  return app;
}
