const ZERO = 48;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;
const COMMA = 44;
const SPACE = 32;

/** What databases and programs write for "nothing". */
const NOTHING: ReadonlySet<string> = new Set(["", "null", "nan", "na", "n/a", "none", "\\n", "-", "nat"]);

export const isNothing = (text: string): boolean => NOTHING.has(text.trim().toLowerCase());

/**
 * The number in `bytes[from…to]`; NaN when it is none. Correctly rounded: up to 15 digits and a power of ten are exact
 * doubles, anything longer goes through `Number`.
 *
 * @param decimalComma whether "3,5" is three and a half
 */
export function numberAt(bytes: Buffer, from: number, to: number, decimalComma: boolean): number {
  let start = from;
  let end = to;
  while (start < end && bytes[start] === SPACE) start++;
  while (end > start && bytes[end - 1] === SPACE) end--;
  let at = start;
  const sign = bytes[at];
  if (sign === MINUS || sign === PLUS) at++;
  const mark = decimalComma ? COMMA : POINT;
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (bytes[at] === mark && decimals < 0) decimals = 0;
    else return numberOf(bytes.toString("latin1", start, end), decimalComma);
  }
  if (digits === 0) return Number.NaN;
  if (digits > 15) return numberOf(bytes.toString("latin1", start, end), decimalComma);
  const value = decimals > 0 ? mantissa / 10 ** decimals : mantissa;
  return sign === MINUS ? -value : value;
}

/** The same of a text. */
export function numberOf(text: string, decimalComma: boolean): number {
  const plain = (decimalComma ? text.replace(",", ".") : text).trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}
