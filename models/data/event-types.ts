/** What an event of a type says about its user's interest in its item. */
export type EventMeaning = "interest" | "exposure" | "against";

/**
 * Weights of events that carry no rating: above zero interest, zero mere exposure (it was shown), below zero the user
 * does not want it. A policy may change them and add a site's own types.
 */
export const EVENT_WEIGHTS: Readonly<Record<string, number>> = {
  watch: 1,
  play: 1,
  listen: 1,
  view: 0.5,
  click: 0.5,
  rating: 1,
  like: 2,
  cart: 2,
  purchase: 3,
  impression: 0,
  skip: -0.5,
  dislike: -1,
  hide: -1,
  remove: -1,
};

/** How logs of other systems call them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  pv: "view",
  pageview: "view",
  page_view: "view",
  detail: "view",
  viewed: "view",
  read: "view",
  clicked: "click",
  buy: "purchase",
  bought: "purchase",
  order: "purchase",
  transaction: "purchase",
  sale: "purchase",
  purchased: "purchase",
  addtocart: "cart",
  add_to_cart: "cart",
  "add-to-cart": "cart",
  basket: "cart",
  fav: "like",
  favorite: "like",
  favourite: "like",
  bookmark: "like",
  liked: "like",
  upvote: "like",
  love: "like",
  rate: "rating",
  rated: "rating",
  review: "rating",
  watched: "watch",
  stream: "listen",
  played: "play",
  shown: "impression",
  show: "impression",
  exposure: "impression",
  skipped: "skip",
  disliked: "dislike",
  downvote: "dislike",
  hidden: "hide",
  remove_from_cart: "remove",
  removefromcart: "remove",
  removed: "remove",
};

/** The type of that name, or the one that a known synonym stands for; undefined when there is none. */
export function eventTypeOf(
  name: string,
  weights: Readonly<Record<string, number>> = EVENT_WEIGHTS,
): string | undefined {
  const plain = name.trim().toLowerCase();
  if (Object.hasOwn(weights, plain)) return plain;
  const meant = Object.hasOwn(SYNONYMS, plain) ? SYNONYMS[plain] : undefined;
  return meant !== undefined && Object.hasOwn(weights, meant) ? meant : undefined;
}

export const meaningOf = (weight: number): EventMeaning =>
  weight > 0 ? "interest" : weight === 0 ? "exposure" : "against";
