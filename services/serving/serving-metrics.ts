import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as PromRegistry } from "prom-client";

/** Every figure the serving process exposes, in a registry of its own. */
export type ServingMetrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new PromRegistry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: "phasewise_" });
  return {
    registry,
    requests: new Counter({
      name: "phasewise_requests_total",
      help: "Requests answered, by route, method and status",
      labelNames: ["route", "method", "status"] as const,
      registers,
    }),
    latency: new Histogram({
      name: "phasewise_request_seconds",
      help: "Seconds from the arrival of a request to the end of its reply, by route",
      labelNames: ["route"] as const,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5],
      registers,
    }),
    unknownItems: new Counter({
      name: "phasewise_feedback_unknown_items_total",
      help: "Events on items that the catalogue does not know",
      registers,
    }),
    refused: new Counter({
      name: "phasewise_refused_total",
      help: "Requests refused to protect the others, by cause",
      labelNames: ["cause"] as const,
      registers,
    }),
    unreadCut: new Counter({
      name: "phasewise_unread_replies_cut_total",
      help: "Connections cut because their client did not read a reply in time",
      registers,
    }),
    live: new Gauge({
      name: "phasewise_live_info",
      help: "1 for the version this replica serves",
      labelNames: ["version", "phase", "recipe"] as const,
      registers,
    }),
    epoch: new Gauge({
      name: "phasewise_live_epoch",
      help: "Epoch of the live pointer this replica follows",
      registers,
    }),
    loadFailures: new Counter({
      name: "phasewise_model_load_failures_total",
      help: "Versions that could not be loaded; the old one kept serving",
      labelNames: ["version"] as const,
      registers,
    }),
    fallbacks: new Counter({
      name: "phasewise_model_fallbacks_total",
      help: "Requests the live model failed and another version answered",
      labelNames: ["from", "to"] as const,
      registers,
    }),
    breaker: new Gauge({
      name: "phasewise_model_breaker_open",
      help: "1 while the live version is set aside after failing too often in a row",
      registers,
    }),
    canaryShare: new Gauge({
      name: "phasewise_canary_share",
      help: "Share of the users on the canary that this replica serves; nothing while none runs",
      labelNames: ["version"] as const,
      registers,
    }),
    canaryRequests: new Counter({
      name: "phasewise_canary_requests_total",
      help: "Requests of users on the canary, by what became of them; all but answered went to the live version",
      labelNames: ["outcome"] as const,
      registers,
    }),
    frozen: new Gauge({
      name: "phasewise_promotions_frozen",
      help: "1 while promotions are frozen after repeated automatic rollbacks: an operator is needed",
      registers,
    }),
    shadowShed: new Counter({
      name: "phasewise_shadow_shed_total",
      help: "Sampled requests that did not reach the shadow queue, by reason",
      labelNames: ["reason"] as const,
      registers,
    }),
    interleaved: new Counter({
      name: "phasewise_interleaved_total",
      help: "Requests of users in the interleaving share, by what became of them",
      labelNames: ["outcome"] as const,
      registers,
    }),
    redisErrors: new Counter({
      name: "phasewise_redis_errors_total",
      help: "Redis connections or commands that failed, by use",
      labelNames: ["use"] as const,
      registers,
    }),
    unvouched: new Counter({
      name: "phasewise_unvouched_total",
      help: "Requests and events of callers without a secret key or a user token: answered, never evidence, never trained on",
      labelNames: ["what"] as const,
      registers,
    }),
    refusedUserTokens: new Counter({
      name: "phasewise_refused_user_tokens_total",
      help: "User tokens that were expired, forged, or not as the configuration says",
      registers,
    }),
    forgedRequestIds: new Counter({
      name: "phasewise_forged_request_ids_total",
      help: "Events that named a list the service never gave this user; taken as organic",
      registers,
    }),
    suspectComparisons: new Gauge({
      name: "phasewise_suspect_comparisons",
      help: "Comparisons whose evidence was suspect at the latest look: they decide nothing, an operator is needed",
      registers,
    }),
    holdbackPairs: new Gauge({
      name: "phasewise_holdback_pairs",
      help: "Users on the floor for good with a twin beside them who were judged in this round of the holdback",
      registers,
    }),
    holdbackLift: new Gauge({
      name: "phasewise_holdback_lift",
      help: "nDCG that all promotions together bring: the mean, and its anytime-valid lower and upper bound",
      labelNames: ["bound"] as const,
      registers,
    }),
    holdbackHarm: new Gauge({
      name: "phasewise_holdback_harm",
      help: "1 while all promotions together are proven to do harm: an operator is needed",
      registers,
    }),
    redisUp: new Gauge({
      name: "phasewise_redis_up",
      help: "1 while Redis answers and is fit; /readyz says in words what is wrong",
      registers,
    }),
    workers: new Gauge({
      name: "phasewise_workers_alive",
      help: "Workers whose heart beats, as last seen; without any, nothing is trained or judged",
      registers,
    }),
    strangeWorkers: new Gauge({
      name: "phasewise_workers_other_code",
      help: "Workers among them that run other code than this replica",
      registers,
    }),
    histories: new Counter({
      name: "phasewise_histories_total",
      help: "Histories used for recommendations, by origin",
      labelNames: ["origin"] as const,
      registers,
    }),
  };
}
