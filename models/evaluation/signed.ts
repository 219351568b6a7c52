/** "+0.0123" or "−0.0123": a difference, whose direction must be seen at a glance. */
export function signed(value: number, digits = 4): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}
