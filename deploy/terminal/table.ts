import Table from "cli-table3";

/** What a log, a mail or a small window shows of a line. */
const USUAL_WIDTH = 80;
const GAP = "  ";
/** A column of text is not squeezed below this. */
const NARROWEST = 16;

/** Characters that a line may have. */
export function terminalWidth(): number {
  return process.stdout.columns ?? USUAL_WIDTH;
}

const BARE = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid"
    .split(" ")
    .map((place) => [place, ""]),
);

/** Columns without borders, as wide as what stands in them; where that is too wide, the widest one wraps. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = terminalWidth(),
): string {
  const widths = head.map((name, place) =>
    Math.max(name.length, ...rows.map((row) => row[place]?.length ?? 0)),
  );
  const widest = widths.indexOf(Math.max(...widths));
  const others = widths.reduce((sum, own, place) => (place === widest ? sum : sum + own + GAP.length), 0);
  widths[widest] = Math.min(widths[widest], Math.max(width - others, NARROWEST, head[widest].length));
  const drawn = new Table({
    head: [...head],
    colWidths: widths,
    chars: { ...BARE, middle: GAP },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    wordWrap: true,
  });
  for (const row of rows) drawn.push([...row]);
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

export interface ParagraphOptions {
  /** Before the first line, and before the others (default: as the first). */
  readonly indent?: string;
  readonly hanging?: string;
  readonly width?: number;
}

/** A paragraph within the width. Ids and paths are never broken. */
export function wrapped(text: string, options: ParagraphOptions = {}): string {
  const { indent = "", hanging = indent, width = terminalWidth() } = options;
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = hanging;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}
