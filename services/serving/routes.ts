import type { App, ServingDeps } from "./deps.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { healthRoutes } from "./routes/health.ts";
import { itemRoutes } from "./routes/items.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { keyRoutes } from "./routes/keys.ts";
import { ladderRoutes } from "./routes/ladder.ts";
import { modelRoutes } from "./routes/models.ts";
import { promotionRoutes } from "./routes/promotion.ts";
import { recommendRoutes } from "./routes/recommend.ts";
import { recordRoutes } from "./routes/records.ts";
import { userRoutes } from "./routes/users.ts";

/** Every group of routes, in the order of the API's description. */
export const ROUTES: readonly ((app: App, deps: ServingDeps) => void)[] = [
  recommendRoutes,
  feedbackRoutes,
  itemRoutes,
  userRoutes,
  ladderRoutes,
  modelRoutes,
  promotionRoutes,
  jobRoutes,
  recordRoutes,
  keyRoutes,
  healthRoutes,
];
