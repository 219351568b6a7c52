import Type, { type Static } from "typebox";

const closed = { additionalProperties: false };
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const positive = (description: string) => Type.Number({ exclusiveMinimum: 0, description });
const count = (description: string) => Type.Integer({ minimum: 1, description });
const openShare = (description: string) =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description });

const margins = Type.Object(
  {
    upgradeCap: share("Largest margin an upgrade pays, as a share of the baseline's nDCG"),
    perPhase: share("Margin for each rung climbed, as a share of the baseline's nDCG"),
    perCostDoubling: share("Margin for each doubling of CPU time a request, as a share"),
    refresh: share("Loss a refresh of the live recipe may not reach, as a share"),
  },
  closed,
);

const screen = Type.Object(
  {
    admit: Type.Union([Type.Literal("passed"), Type.Literal("not-rejected")], {
      description: "Who goes on to the shadow: proven lifts only, or all but proven losses",
    }),
    confidence: openShare("One-sided confidence of the offline bounds"),
    resamples: Type.Integer({ minimum: 200, description: "Bootstrap resamples" }),
    minimumUsers: Type.Integer({
      minimum: 2,
      description: "Fewer holdout users leave the screen inconclusive",
    }),
  },
  closed,
);

const shadow = Type.Object(
  {
    samplingRate: share("Share of requests copied to the shadow"),
    requestsPerUser: count("Requests of one user that are scored at most"),
    relevantEvents: count("Next new items of the user that count as relevant"),
    attributionDays: positive("Days after a request in which feedback counts for it"),
    attributionEvents: Type.Integer({
      minimum: 0,
      description:
        "Events after which a user's window closes, however soon they come; 0 for days alone. For a replay: it lets busy users in first",
    }),
    minimumUsers: count("No verdict but hold or reject before this many users"),
    listUsers: count("Users whose lists are kept for coverage, novelty and diversity"),
    latencySamples: count("Latencies kept for each model"),
    exposureShare: share("List-driven share of feedback above which the shadow may not decide"),
    timeoutMs: positive("A challenger slower than this has failed the request"),
    repeatEvery: count("Of so many requests one is asked twice: it must have one answer"),
    consecutiveFaults: count("Faults in a row that end a model's thread after which a batch is given up"),
    ringSize: count("Requests waiting in the serving process before they are shed"),
    waitingBatches: count("Batches waiting for a worker before others are shed"),
    overtakenSeconds: positive("A batch that later ones overtook so long ago is lost"),
    batchSize: count("Requests in one shadow job"),
    maximumChallengers: count("Challengers scored side by side"),
  },
  closed,
);

const interleaving = Type.Object(
  {
    share: share("Share of users whose lists are interleaved, by hash of the user id"),
    alphaShare: openShare(
      "Share of an attempt's α that is kept for interleaving; the shadow's test spends the rest. Small where hardly any feedback answers our own lists, large where nearly all does",
    ),
    mde: openShare("Smallest advantage in credited choices worth finding"),
    consecutiveFailures: count(
      "Failures in a row after which a replica does not ask the challenger any more",
    ),
    minimumUsers: count("No verdict from interleaving before this many users with credits"),
  },
  closed,
);

const guardrails = Type.Object(
  {
    confidence: openShare("One-sided confidence with which a guardrail must be shown to hold"),
    harmConfidence: openShare(
      "One-sided confidence with which a guardrail must be shown broken to reject: a rejection is final and one looks often",
    ),
    resamples: Type.Integer({ minimum: 200, description: "Bootstrap resamples of a guardrail" }),
    failureRate: openShare("Largest rate of failures and timeouts"),
    latencyBudgetMs: positive("Largest p99 of a recommendation"),
    latencyRatio: positive("Largest p99 against the baseline's in the same worker"),
    latencyNegligibleMs: Type.Number({
      minimum: 0,
      description:
        "A p99 below this passes whatever the ratio: 1 ms is not a harm because the baseline takes 0.1",
    }),
    coverageRatio: share("Smallest coverage against the baseline's"),
    noveltyRatio: share("Smallest novelty against the baseline's"),
    diversityRatio: share("Smallest diversity against the baseline's"),
    giniIncrease: share("Largest rise of the Gini coefficient of exposure"),
    cohortLoss: share("Largest relative loss of the cold, light or heavy users"),
    coldBelow: count("Fewer known interactions than this make a user cold"),
    heavyFrom: count("This many known interactions make a user heavy"),
    cohortMinimumUsers: count("A cohort with fewer users cannot be judged"),
    listMinimumUsers: count("Coverage, novelty and diversity cannot be judged on fewer users than this"),
    cohortNegligibleShare: share("A cohort that cannot be judged is let be up to this share of the users"),
    memoryMb: positive("Largest resident memory of a loaded challenger"),
    cpuMsPerRequest: positive("Largest CPU time of a recommendation"),
    trainingSeconds: positive("Longest training"),
    shedShare: share("Largest share of sampled requests that were shed"),
  },
  closed,
);

const promotion = Type.Object(
  {
    automatic: Type.Boolean({ description: "Promote a pass without asking an operator" }),
    canaryShares: Type.Array(openShare("Share of users on the new version"), {
      description: "Steps before all users, each larger than the one before; empty for none",
    }),
    canaryUsers: count("Users a canary step must see before it widens"),
  },
  closed,
);

const rollback = Type.Object(
  {
    automatic: Type.Boolean({ description: "Leave a live version that fails or is proven worse" }),
    consecutiveFailures: count("Failures in a row that open the breaker"),
    failureRate: openShare("Failure rate over the window that opens the breaker"),
    failureWindow: count("Requests in the breaker's window"),
    requestTimeoutMs: positive("A recommendation slower than this has failed, although it was answered"),
    fleetErrorRate: openShare("Error rate of all replicas that leaves the version"),
    fleetP99Ms: positive("p99 of all replicas that leaves the version"),
    fleetWindowSeconds: count("Latest seconds of all replicas that the two are judged by"),
    fleetMinimumRequests: count("Requests of all replicas below which neither of the two is judged"),
    watchUsers: count("Users for whom the old baseline keeps shadowing the new live version"),
    automaticPerDay: count("Automatic rollbacks in 24 h after which the floor serves and promotions freeze"),
  },
  closed,
);

const drift = Type.Object(
  {
    minimumEvents: count("Events on either side below which nothing is compared"),
    popularityPsi: positive("PSI of item popularity that asks for a retrain"),
    historyLengthPsi: positive("PSI of history length that asks for a retrain"),
    unknownItemRise: share("Rise of the share of events on items that the model does not know"),
    unknownUserRise: share("Rise of the share of requests by users without any history"),
    eventRateFactor: Type.Number({
      exclusiveMinimum: 1,
      description: "Event rate up or down by this factor",
    }),
  },
  closed,
);

const training = Type.Object(
  {
    holdoutShare: openShare("Share of the events, the latest, that the screen judges by"),
    validationShare: openShare("Share of what remains, the latest again, that parameters are tuned on"),
    trials: count("What a parameter search may spend, in trials of full length"),
    trialsAtOnce: count(
      "Trials asked before the first of them is told: as many workers can share a search, and each learns of fewer trials before it",
    ),
    analysisSeconds: Type.Number({
      minimum: 0,
      description: "Training time to explain a version that does not pay, at low priority; 0 explains none",
    }),
    warmStart: Type.Boolean({
      description: "A refresh starts from the live version's arrays and takes fewer epochs",
    }),
  },
  closed,
);

const schedule = Type.Object(
  {
    judgeEverySeconds: positive("Time between two looks at the running shadow comparisons"),
    compactEveryHours: positive("Time between two foldings of the event stream into the snapshot"),
    retrainEveryHours: positive("Time between two retrains of the live recipe on the latest data"),
    driftEveryHours: positive("Time between two comparisons of the latest events with those trained on"),
  },
  closed,
);

/** Everything with a limit, in one file. */
export const policySchema = Type.Object(
  {
    formatVersion: Type.Literal(1),
    alpha: openShare(
      "Chance of ever promoting a challenger without the lift, over all attempts at a baseline",
    ),
    mde: openShare("Smallest lift in nDCG@10 worth finding: plans the bets and the length of a test"),
    margins,
    screen,
    shadow,
    interleaving,
    guardrails,
    promotion,
    rollback,
    drift,
    training,
    schedule,
  },
  closed,
);

export type Policy = Static<typeof policySchema>;
