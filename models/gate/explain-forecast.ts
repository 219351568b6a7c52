import { days, percent, roughly } from "./explain-words.ts";
import type { Forecast } from "./forecast.ts";

/** "a lift of 5 % needs about 310 users, some 12 days; 2 % about 4,100 users, …; 1 % cannot be proven here (…)" */
export function explainForecast(forecasts: readonly Forecast[]): string {
  const largestFirst = [...forecasts].sort((a, b) => b.lift - a.lift);
  const [largest] = largestFirst;
  if (largest !== undefined && forecasts.every(({ provable }) => provable !== "yes")) {
    const none = `no lift of ${percent(largest.lift)} or less can be proven here`;
    if (largest.users === null) return none;
    return `${none}: ${percent(largest.lift)} takes about ${roughly(largest.users)} users, ${largest.days === null ? "and none come" : days(largest.days)}`;
  }
  return largestFirst.map((one, place) => `${place === 0 ? "a lift of " : ""}${part(one, place)}`).join("; ");
}

function part({ lift, users, days: time, provable }: Forecast, place: number): string {
  const size = percent(lift);
  if (provable === "within-margin") return `${size} cannot be proven, it lies within the margin`;
  if (users === null) return `${size} cannot be proven here`;
  const needed = `${size} ${place === 0 ? "needs " : ""}about ${roughly(users)} users`;
  if (provable === "yes") return time === null ? needed : `${needed}, ${days(time)}`;
  return `${size} cannot be proven here: about ${roughly(users)} users, ${time === null ? "and none come" : days(time)}`;
}
