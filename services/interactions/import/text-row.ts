import type { Row } from "./event-sink.ts";

/** A row given as texts, laid out as the reader of delimited text lays out its own. */
export class TextRow implements Row {
  bytes = Buffer.alloc(1 << 12);
  starts = new Int32Array(8);
  ends = new Int32Array(8);
  escaped = new Uint8Array(8);
  line = 0;

  set(cells: readonly string[], line: number): void {
    this.line = line;
    if (cells.length > this.starts.length) {
      this.starts = new Int32Array(cells.length);
      this.ends = new Int32Array(cells.length);
      this.escaped = new Uint8Array(cells.length);
    }
    let at = 0;
    for (let cell = 0; cell < cells.length; cell++) {
      const text = cells[cell];
      const most = text.length * 3;
      if (at + most > this.bytes.length) {
        const wider = Buffer.alloc(Math.max(this.bytes.length * 2, at + most));
        this.bytes.copy(wider, 0, 0, at);
        this.bytes = wider;
      }
      this.starts[cell] = at;
      at += this.bytes.write(text, at);
      this.ends[cell] = at;
    }
  }

  text(cell: number): string {
    return this.bytes.toString("utf8", this.starts[cell], this.ends[cell]);
  }
}
