/** A rest shorter than this is not worth a word, ms. */
const SHORT_MS = 20_000;
/** The beginning of a stage says little about its end. */
const FIRST_FRACTION = 0.01;

/** What is left of a stage that has done `fraction` (0 … 1) of its work in `elapsedMs`, in words; "" when it is short. */
export function timeLeft(fraction: number, elapsedMs: number): string {
  if (fraction < FIRST_FRACTION) return "";
  const leftMs = (elapsedMs * (1 - fraction)) / fraction;
  if (leftMs < SHORT_MS) return "";
  const minutes = Math.round(leftMs / 60_000);
  return minutes < 1 ? " · less than a minute left" : ` · about ${minutes} min left`;
}
