import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { itemId, userId } from "../../models/data/ids.ts";
import type { Catalogue, InteractionLog } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { seededRandom } from "../../models/data/random.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { fitModel } from "../../models/model.ts";
import { artifactStore } from "../../services/artifacts/artifact-store.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { folderStore } from "../../services/storage/folder-store.ts";
import { manifestOf } from "../services/serving/small-world.ts";

export const USERS = 500;
const EVENTS_PER_USER = 60;

/**
 * A catalogue, histories of 500 users (u0 …), and two versions in an installation: the floor, and `recipe` live over it.
 *
 * @param moreUsers (c0 …) with histories alike, whom no model learned from
 */
export async function raiseSyntheticWorld(
  home: string,
  redis: Redis,
  {
    items,
    recipe,
    moreUsers = 0,
  }: { readonly items: number; readonly recipe: string; readonly moreUsers?: number },
): Promise<void> {
  const log = syntheticLog(items);
  const catalogue: Catalogue = new Map(
    log.items.ids.map((id, index) => [
      id,
      { title: `Film ${index}`, genres: [index % 3 ? "Drama" : "Comedy"] },
    ]),
  );
  await mkdir(join(home, "snapshot"));
  const rows = Array.from(catalogue, ([id, info]) => ({ itemId: id, ...info }));
  await writeFile(join(home, "snapshot", "catalogue.json"), JSON.stringify(rows));
  const events = redisEventLog(redis);
  for (let user = 0; user < USERS; user++) {
    const history = Array.from({ length: EVENTS_PER_USER }, (_, index) => ({
      eventId: `e${user}-${index}`,
      userId: userId(`u${user}`),
      itemId: itemId(`i${(user * 31 + index * 7) % items}`),
      type: "watch",
    }));
    await events.append(history, Date.now());
  }
  const more = Array.from({ length: moreUsers }, (_, user) => ({
    userId: userId(`c${user}`),
    entries: Array.from({ length: EVENTS_PER_USER }, (_, index) => ({
      itemId: itemId(`i${(user * 31 + index * 7) % items}`),
      timestamp: 1.7e12 + index * 60_000,
      weight: 1,
    })),
  }));
  if (moreUsers > 0) await events.replaceImported(more, "more users");
  const store = artifactStore(folderStore(join(home, "artifacts")));
  const registry = redisRegistry(redis);
  let expectedLive: string | null = null;
  for (const name of new Set(["popularity", recipe])) {
    const { model } = await fitModel(name, trainingSet(log, catalogue), {}, { seed: 1 });
    const { manifest, manifestSha256 } = await store.write(model, (file) => manifestOf(model, file));
    const { version } = await registry.register(manifest, manifestSha256, "bench");
    await registry.promote({ version, expectedLive, reason: "bench", actor: "bench", force: true });
    expectedLive = version;
  }
}

/** Every item once, then Zipf-like draws. */
function syntheticLog(items: number): InteractionLog {
  const random = seededRandom(1);
  const events = items + USERS * EVENTS_PER_USER;
  const item = (event: number): number =>
    event < items ? event : Math.floor(items ** random.next()) % items;
  return {
    users: new Vocabulary(Array.from({ length: USERS }, (_, index) => userId(`u${index}`))),
    items: new Vocabulary(Array.from({ length: items }, (_, index) => itemId(`i${index}`))),
    userIndex: Uint32Array.from({ length: events }, (_, event) => event % USERS),
    itemIndex: Uint32Array.from({ length: events }, (_, event) => item(event)),
    timestamps: Float64Array.from({ length: events }, (_, event) => 1.7e12 + event * 60_000),
    weights: new Float32Array(events).fill(1),
  };
}
