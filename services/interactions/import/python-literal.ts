const SPECIAL: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["None", null],
  ["True", true],
  ["False", false],
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", Number.NaN],
  ["nan", Number.NaN],
]);
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", "0": "\0" };

/**
 * The value of a literal as Python prints dicts and lists: single quotes, None, True, u'…', trailing commas.
 * Undefined when the text is no such literal.
 */
export function literalValue(text: string): unknown {
  const parser = new LiteralParser(text);
  try {
    const value = parser.value();
    return parser.atEnd() ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class LiteralParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#space();
    return this.#at === this.#text.length;
  }

  value(): unknown {
    this.#space();
    const letter = this.#text[this.#at];
    if (letter === "{") return Object.fromEntries(this.#list("{", "}", () => this.#pair()));
    if (letter === "[") return this.#list("[", "]", () => this.value());
    if (letter === "(") return this.#list("(", ")", () => this.value());
    if (letter === "'" || letter === '"') return this.#string();
    const word = /[uUbB](?=['"])|-?\d+(\.\d*)?([eE][+-]?\d+)?|[A-Za-z]+/y;
    word.lastIndex = this.#at;
    const found = word.exec(this.#text)?.[0];
    if (found === undefined) throw new SyntaxError("no value");
    this.#at += found.length;
    if (/^[uUbB]$/.test(found)) return this.#string();
    if (SPECIAL.has(found)) return SPECIAL.get(found);
    const number = Number(found);
    if (Number.isNaN(number)) throw new SyntaxError(`no value: ${found}`);
    return number;
  }

  #pair(): [string, unknown] {
    const key = this.value();
    this.#expect(":");
    return [String(key), this.value()];
  }

  #list<T>(open: string, close: string, item: () => T): T[] {
    this.#expect(open);
    const items: T[] = [];
    for (;;) {
      this.#space();
      if (this.#text[this.#at] === close) break;
      items.push(item());
      this.#space();
      if (this.#text[this.#at] !== ",") break;
      this.#at++;
    }
    this.#expect(close);
    return items;
  }

  #string(): string {
    const quote = this.#text[this.#at++];
    let text = "";
    for (;;) {
      const letter = this.#text[this.#at++];
      if (letter === undefined) throw new SyntaxError("a text without an end");
      if (letter === quote) return text;
      text += letter === "\\" ? this.#escape() : letter;
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? "";
    const digits = letter === "x" ? 2 : letter === "u" ? 4 : letter === "U" ? 8 : 0;
    if (digits === 0) return ESCAPES[letter] ?? letter;
    const code = Number.parseInt(this.#text.slice(this.#at, this.#at + digits), 16);
    this.#at += digits;
    if (Number.isNaN(code) || code > 0x10ffff) throw new SyntaxError("no such letter");
    return String.fromCodePoint(code);
  }

  #expect(letter: string): void {
    this.#space();
    if (this.#text[this.#at] !== letter) throw new SyntaxError(`no ${letter}`);
    this.#at++;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}
