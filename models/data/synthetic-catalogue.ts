import { type ItemId, itemId } from "./ids.ts";
import type { Catalogue, ItemInfo } from "./interaction-log.ts";
import type { Random } from "./random.ts";

export const GENRES = (
  "Action Adventure Animation Comedy Crime Documentary Drama Family Fantasy Horror Musical Mystery " +
  "Romance Science-Fiction Thriller War"
).split(" ");

const FIRST = (
  "Silent Crimson Hidden Broken Golden Distant Burning Frozen Hollow Midnight Paper Electric Wandering Iron " +
  "Velvet Lonely Savage Gentle Forgotten Endless Scarlet Northern Second Restless Little Last Stolen Borrowed"
).split(" ");
const SECOND = (
  "Harbour Orchard Letters River Machine Garden Winter Kingdom Signal Carnival Mirror Station Summer Horizon " +
  "Detective Island Orchestra Lantern Railway Promise Forest Voyage Engine Shadow Parade Compass Bridge Atlas"
).split(" ");

/** The world that synthetic users choose from; everything dense, by item. */
export interface SyntheticItems {
  /** (items) taste cluster: which lasting taste of its users an item answers to. */
  readonly cluster: Uint8Array;
  /** (items) what would be chosen most if everything were new. */
  readonly appeal: Float64Array;
  /** (items) when it appeared, as a share of the whole period; below 0: long before. */
  readonly release: Float64Array;
  /** (items) what many people go on to: the next part of a series, or a kindred item. */
  readonly follower: Uint32Array;
  readonly catalogue: Catalogue;
  readonly ids: readonly ItemId[];
}

/** Chance that a series is labelled with its taste's own genre: tastes follow more than what is on the label. */
const LABELLED_BY_TASTE = 0.35;

/** Most parts a series has. */
const LONGEST_SERIES = 4;

/** Items come in series of one cluster; later parts appear later, under the same name. */
export function syntheticItems(
  items: number,
  firstYear: number,
  years: number,
  random: Random,
): SyntheticItems {
  const cluster = new Uint8Array(items);
  const appeal = new Float64Array(items);
  const release = new Float64Array(items);
  const follower = new Uint32Array(items);
  const catalogue = new Map<ItemId, ItemInfo>();
  const ids: ItemId[] = [];
  let series = 0;
  for (let first = 0; first < items; series++) {
    const parts = Math.min(items - first, 1 + random.integer(LONGEST_SERIES));
    const name = seriesName(series);
    const genre = random.integer(GENRES.length);
    const label = random.next() < LABELLED_BY_TASTE ? genre : random.integer(GENRES.length);
    const seriesAppeal = random.normal();
    let appears = random.next() * 2 - 1;
    for (let part = 0; part < parts; part++) {
      const item = first + part;
      cluster[item] = genre;
      appeal[item] = Math.exp(1.2 * seriesAppeal + 0.7 * random.normal());
      release[item] = Math.min(appears, 0.98);
      follower[item] = part + 1 < parts ? item + 1 : first;
      const year = Math.floor(firstYear + release[item] * years);
      const title = `${name}${part === 0 ? "" : ` ${part + 1}`} (${year})`;
      ids.push(itemId(String(item + 1)));
      catalogue.set(ids[item], { title, genres: genresWith(label, random), year });
      appears += 0.05 + 0.1 * random.next();
    }
    first += parts;
  }
  return { cluster, appeal, release, follower, catalogue, ids };
}

function seriesName(series: number): string {
  const name = `${FIRST[series % FIRST.length]} ${SECOND[Math.floor(series / FIRST.length) % SECOND.length]}`;
  const round = Math.floor(series / (FIRST.length * SECOND.length));
  return round === 0 ? `The ${name}` : `The ${name} of ${round + 1}`;
}

/** The main genre and up to two beside it. */
function genresWith(main: number, random: Random): string[] {
  const genres = new Set([GENRES[main]]);
  for (let more = random.integer(3); more > 0; more--) genres.add(GENRES[random.integer(GENRES.length)]);
  return [...genres];
}
