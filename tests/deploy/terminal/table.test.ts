import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { table, wrapped } from "../../../deploy/terminal/table.ts";

describe("a table on a terminal", () => {
  it("is as wide as what stands in it, without borders", () => {
    assert.equal(
      table(
        ["name", "n"],
        [
          ["als-1", "3"],
          ["b", "12"],
        ],
        80,
      ),
      "name   n\nals-1  3\nb      12",
    );
  });

  it("wraps its widest column where it would be wider than the terminal", () => {
    const shown = table(["version", "why"], [["als-1", "about ninety more users, some three days"]], 30);
    assert.equal(
      shown,
      "version  why\nals-1    about ninety more\n         users, some three\n         days",
    );
  });
});

describe("a paragraph on a terminal", () => {
  it("breaks between words, and indents what follows as it is told", () => {
    assert.equal(
      wrapped("one two three four", { indent: " ", hanging: "   ", width: 9 }),
      " one two\n   three\n   four",
    );
  });

  it("never breaks an id or a path, however long", () => {
    assert.equal(wrapped("to /a/very/long/path", { width: 8 }), "to\n/a/very/long/path");
    assert.equal(wrapped("/a/very/long/path", { width: 8 }), "/a/very/long/path");
  });
});
