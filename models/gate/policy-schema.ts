import Type, { type Static, type TProperties, type TSchema } from "typebox";

/** A knob is one line: its default, its unit, and a sentence that says what it is. `phasewise policy` prints them all. */
const share = (byDefault: number, description: string) =>
  Type.Number({ minimum: 0, maximum: 1, default: byDefault, unit: "share", description });
const openShare = (byDefault: number, description: string) =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: byDefault, unit: "share", description });
const positive = (byDefault: number, unit: string, description: string) =>
  Type.Number({ exclusiveMinimum: 0, default: byDefault, unit, description });
const notNegative = (byDefault: number, unit: string, description: string) =>
  Type.Number({ minimum: 0, default: byDefault, unit, description });
const count = (byDefault: number, unit: string, description: string, minimum = 1) =>
  Type.Integer({ minimum, default: byDefault, unit, description });
const isOn = (byDefault: boolean, description: string) => Type.Boolean({ default: byDefault, description });

/** A knob or a group that the first release did not have: the policies in its records, and their hashes, lack it. */
const later = <Knob extends TSchema>(knob: Knob): Knob => Object.assign(knob, { later: true });

/** What a file leaves out of a group keeps its default; what it misspells is refused. */
const group = <P extends TProperties>(description: string, knobs: P) =>
  Type.Object(knobs, { additionalProperties: false, default: {}, description });

const margins = group("What a challenger must gain, as a share of the baseline's nDCG.", {
  upgradeCap: share(0.05, "Largest margin an upgrade pays."),
  perPhase: share(0.01, "Margin for each rung climbed."),
  perCostDoubling: share(0.01, "Margin for each doubling of the CPU time a request takes."),
  refresh: share(0.01, "Loss that a refresh of the live recipe may not reach."),
});

const screen = group("The offline comparison on the holdout, before any shadow.", {
  admit: Type.Union([Type.Literal("passed"), Type.Literal("not-rejected")], {
    default: "not-rejected",
    description: "Who goes on to the shadow: proven lifts only, or all but proven losses.",
  }),
  confidence: openShare(0.95, "One-sided confidence of the offline bounds."),
  resamples: count(2000, "resamples", "Bootstrap resamples.", 200),
  minimumUsers: count(30, "users", "Fewer holdout users leave the screen inconclusive.", 2),
});

const shadow = group("How requests are copied to the challengers and scored.", {
  samplingRate: share(1, "Share of requests copied to the shadow."),
  requestsPerUser: count(
    20,
    "requests",
    "Requests of one user that are judged at most: a uniform sample of all in the user's panel period.",
  ),
  panelDays: later(
    positive(7, "days", "Time from a user's first shadowed request in which requests are sampled."),
  ),
  panelUsers: later(
    count(
      2000,
      "users",
      "Users whose windows close in an attribution period, about: where there are more, who is shadowed is drawn by a hash of the user id.",
    ),
  ),
  relevantEvents: count(10, "events", "Next new items of the user that count as relevant."),
  attributionDays: positive(7, "days", "Time after a request in which feedback counts for it."),
  attributionEvents: count(
    0,
    "events",
    "Events after which the window of a request closes early; 0 for days alone.",
    0,
  ),
  minimumUsers: count(30, "users", "Before this many users the verdict is hold or reject."),
  listUsers: count(1000, "users", "Users whose lists are kept for coverage, novelty and diversity."),
  latencySamples: count(5000, "latencies", "Latencies kept for each model."),
  exposureShare: share(0.2, "List-driven share of feedback above which the shadow may not decide."),
  timeoutMs: positive(250, "ms", "A challenger slower than this has failed the request."),
  repeatEvery: count(10, "requests", "Of so many requests one is asked twice: it must have one answer."),
  consecutiveFaults: count(
    5,
    "faults",
    "Faults in a row that end a model's thread, so that a batch is given up.",
  ),
  ringSize: count(1000, "requests", "Requests that wait in the serving process before they are shed."),
  waitingBatches: count(4000, "batches", "Batches that wait for a worker before others are shed."),
  overtakenSeconds: positive(60, "s", "A batch that later ones overtook so long ago is lost."),
  batchSize: count(50, "requests", "Requests in one shadow job."),
  maximumChallengers: count(3, "challengers", "Challengers scored side by side."),
});

const interleaving = group("Mixed lists, for feedback that comes from our own lists.", {
  share: share(0.05, "Share of users whose lists are interleaved, by hash of the user id."),
  alphaShare: openShare(
    0.5,
    "Share of an attempt's α kept for interleaving; the shadow's test spends the rest. Take a small one where hardly any feedback answers our own lists, a large one where nearly all does.",
  ),
  mde: openShare(0.05, "Smallest advantage in credited choices worth finding."),
  consecutiveFailures: count(
    5,
    "failures",
    "Failures in a row after which a replica stops asking the challenger.",
  ),
  minimumUsers: count(100, "users", "Before this many users with credits interleaving gives no verdict."),
});

const guardrails = group("What no lift may be paid with.", {
  confidence: openShare(0.95, "One-sided confidence with which a guardrail must be shown to hold."),
  harmConfidence: openShare(
    0.999,
    "One-sided confidence with which a guardrail must be shown broken to reject: a rejection is final, and one looks often.",
  ),
  resamples: count(1000, "resamples", "Bootstrap resamples of a guardrail.", 200),
  failureRate: openShare(0.001, "Largest rate of failures and timeouts."),
  latencyBudgetMs: positive(50, "ms", "Largest p99 of a recommendation."),
  latencyRatio: positive(1.2, "ratio", "Largest p99 against the baseline's in the same worker."),
  latencyNegligibleMs: notNegative(
    10,
    "ms",
    "A p99 below this passes whatever the ratio: 1 ms is not a harm because the baseline takes 0.1.",
  ),
  latencyMinimumSamples: later(
    count(1000, "latencies", "Fewer latencies of either model reject nobody: the p99 is held until then."),
  ),
  coverageRatio: share(0.9, "Smallest coverage against the baseline's."),
  noveltyRatio: share(0.9, "Smallest novelty against the baseline's."),
  diversityRatio: share(
    0.7,
    "Smallest diversity against the smaller of the baseline's lists and of what the same users chose next.",
  ),
  giniIncrease: share(0.03, "Largest rise of the Gini coefficient of exposure."),
  cohortLoss: share(0.05, "Largest relative loss of the cold, light or heavy users."),
  coldBelow: count(5, "interactions", "A user with fewer known interactions is cold."),
  heavyFrom: count(50, "interactions", "A user with this many known interactions, or more, is heavy."),
  cohortMinimumUsers: count(20, "users", "A cohort with fewer users cannot be judged."),
  listMinimumUsers: count(30, "users", "Coverage, novelty and diversity cannot be judged on fewer users."),
  cohortNegligibleShare: share(
    0.1,
    "A cohort too small to be judged is let be up to this share of the users.",
  ),
  memoryMb: positive(1024, "MB", "Largest resident memory of a loaded challenger."),
  cpuMsPerRequest: positive(25, "ms", "Largest CPU time of a recommendation."),
  trainingSeconds: positive(14_400, "s", "Longest training."),
  shedShare: share(0.2, "Largest share of sampled requests that were shed."),
});

const evidence = later(
  group("Whose words count; what is suspect decides nothing, and an operator is asked.", {
    minimumUserAge: notNegative(
      1,
      "days",
      "A user counts who has been known for so long when the window closes, by the time of the events.",
    ),
    largestSourceShare: openShare(
      0.25,
      "Share of the users that may have appeared within one hour through one key; beyond it they are a burst.",
    ),
    largestLiftFactor: positive(
      3,
      "ratio",
      "A mean beyond so many times the upper bound that the holdout found is beyond belief.",
    ),
  }),
);

const promotion = group("What follows a pass.", {
  automatic: isOn(false, "Promote a pass without asking an operator."),
  patienceUsers: later(
    count(
      200,
      "users",
      "Users that a challenger which would skip a rung waits at most for those on it that are about to pass.",
      0,
    ),
  ),
  downRung: later(
    isOn(
      false,
      "Let a cheaper version of a lower rung replace the live one once it is proven not to lose (margins.refresh).",
    ),
  ),
  canaryShares: Type.Array(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), {
    default: [],
    unit: "shares",
    description:
      "Shares of users on the new version before all of them, each larger than the last; empty for none.",
  }),
  canaryUsers: count(200, "users", "Users a canary step must see before it widens."),
});

const holdback = later(
  group("Users who stay on the floor for good, so that what all promotions bring together is seen.", {
    share: Type.Number({
      minimum: 0,
      maximum: 0.5,
      default: 0,
      unit: "share",
      description:
        "Users who stay on the phase-1 floor, by hash of the user id; as many others are their twins. 0: none.",
    }),
    roundDays: positive(
      90,
      "days",
      "A user counts once in so long; each round has its part of α, so that slow decay is seen.",
    ),
  }),
);

const remote = later(
  group("Rankers behind a URL: shadowed and judged like any challenger, and never served.", {
    allowedOrigins: Type.Array(Type.String({ pattern: "^https?://[^/?#@]+$" }), {
      default: [],
      unit: "origins",
      description: "Where a ranker may be asked, such as https://ranker.example:8443; empty for nowhere.",
    }),
  }),
);

const rollback = group("When a live version is left.", {
  automatic: isOn(true, "Leave a live version that fails or is proven worse."),
  consecutiveFailures: count(5, "failures", "Failures in a row that open the breaker."),
  failureRate: openShare(0.05, "Failure rate over the window that opens the breaker."),
  failureWindow: count(200, "requests", "Requests in the breaker's window."),
  requestTimeoutMs: positive(
    250,
    "ms",
    "A recommendation slower than this has failed, although it was answered.",
  ),
  fleetErrorRate: openShare(0.01, "Error rate of all replicas that leaves the version."),
  fleetP99Ms: positive(250, "ms", "p99 of all replicas that leaves the version."),
  fleetWindowSeconds: count(60, "s", "Latest time of all replicas that the two are judged by."),
  fleetMinimumRequests: count(200, "requests", "Fewer requests of all replicas judge neither of the two."),
  watchUsers: count(1000, "users", "Users for whom the version that was left keeps shadowing the new one."),
  automaticPerDay: count(
    2,
    "rollbacks",
    "Automatic rollbacks in 24 h after which the floor serves and promotions freeze.",
  ),
});

const drift = group("When the latest events ask for a retrain.", {
  minimumEvents: count(500, "events", "Fewer events on either side are not compared."),
  popularityPsi: positive(
    0.25,
    "PSI",
    "Population stability index of item popularity that asks for a retrain.",
  ),
  historyLengthPsi: positive(
    0.25,
    "PSI",
    "Population stability index of history length that asks for a retrain.",
  ),
  unknownItemRise: share(0.2, "Rise of the share of events on items that the model does not know."),
  unknownUserRise: share(0.2, "Rise of the share of requests by users without any history."),
  eventRateFactor: Type.Number({
    exclusiveMinimum: 1,
    default: 3,
    unit: "factor",
    description: "Event rate up or down by this factor.",
  }),
});

const training = group("How a version is trained.", {
  holdoutShare: openShare(0.2, "Share of the events, the latest, that the screen judges by."),
  validationShare: openShare(0.15, "Share of what remains, the latest again, that parameters are tuned on."),
  userEvents: later(
    count(
      5000,
      "events",
      "Events of one user, the latest, that are learned from and that the snapshot takes up.",
    ),
  ),
  largestUserShare: later(
    openShare(0.05, "A user with a larger share of all events, and ten times the mean, is set aside."),
  ),
  trials: count(20, "trials", "What a parameter search may spend, in trials of full length."),
  trialsAtOnce: count(
    4,
    "trials",
    "Trials proposed in one round: as many workers can share a search, but each proposal knows the results of earlier rounds only.",
  ),
  warmStart: isOn(false, "A refresh starts from the live version's arrays and takes fewer epochs."),
  analysisSeconds: notNegative(
    600,
    "s",
    "Training time, at low priority, to explain a version that does not pay; 0 explains none.",
  ),
});

const schedule = group("How often the upkeep runs.", {
  judgeEverySeconds: positive(30, "s", "Time between two looks at the running shadow comparisons."),
  compactEveryHours: positive(6, "h", "Time between two foldings of the event stream into the snapshot."),
  driftEveryHours: positive(
    6,
    "h",
    "Time between two comparisons of the latest events with those trained on.",
  ),
  retrainEveryHours: positive(24, "h", "Time between two retrains of the live recipe on the latest data."),
});

/** Everything with a limit, in one file. */
export const policySchema = group("The limits of the gate, the shadow, the rollback and the upkeep.", {
  formatVersion: Type.Literal(1, { default: 1, description: "Version of this format." }),
  alpha: openShare(
    0.05,
    "Chance of ever promoting a challenger without the lift, over all attempts at a baseline.",
  ),
  alphaSpending: later(
    Type.Union([Type.Literal("family"), Type.Literal("fdr")], {
      default: "family",
      description:
        "What α is the limit of: the chance of any promotion without the lift over one baseline (family), or the expected share of such ones among all promotions ever (fdr).",
    }),
  ),
  mde: openShare(0.01, "Smallest lift in nDCG@10 worth finding: plans the bets and the length of a test."),
  margins,
  screen,
  shadow,
  interleaving,
  guardrails,
  evidence,
  promotion,
  holdback,
  remote,
  rollback,
  drift,
  training,
  schedule,
});

export type Policy = Static<typeof policySchema>;
