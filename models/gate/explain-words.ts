import { signed } from "../evaluation/signed.ts";

/* How the sentences of a verdict say codes, users, lifts and times. */

const MOST_DAYS = 365;
const HOURS_PER_DAY = 24;

export function words(reason: string): string {
  return reason.toLowerCase().replaceAll("_", " ");
}

export function userCount(count: number): string {
  return count === 1 ? "1 user" : `${count.toLocaleString("en")} users`;
}

/** Four digits where three would all be zeros. */
export function change(value: number): string {
  return signed(value, value !== 0 && Math.abs(value) < 0.001 ? 4 : 3);
}

export function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

/** Rounded up to two leading digits: an estimate must not look like a count. */
export function roughly(count: number): string {
  if (count < 10) return String(count);
  const unit = 10 ** (Math.floor(Math.log10(count)) - 1);
  return (Math.ceil(count / unit) * unit).toLocaleString("en");
}

/** "about 90 more users" */
export function aboutMoreUsers(users: number): string {
  return `about ${roughly(users)} more ${users === 1 ? "user" : "users"}`;
}

/** ", some 3 days at this rate": how long so many users take to come; nothing where no rate is known. */
export function atThisRate(users: number, usersPerDay: number | null | undefined): string {
  const isKnown = typeof usersPerDay === "number" && usersPerDay > 0;
  return isKnown ? `, ${days(users / usersPerDay)} at this rate` : "";
}

/** "some 3 days", "about an hour" */
export function days(time: number): string {
  if (time > MOST_DAYS) return "more than a year";
  if (time >= 1.5) return `some ${Math.round(time)} days`;
  const hours = Math.round(time * HOURS_PER_DAY);
  return hours < 1 ? "less than an hour" : hours === 1 ? "about an hour" : `some ${hours} hours`;
}
