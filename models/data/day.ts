/** Milliseconds of a day: ages and windows are in days, times in epoch milliseconds. */
export const MS_PER_DAY = 86_400_000;
