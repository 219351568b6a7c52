import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../../services/serving/turns.ts";

/** Runs `lists` of so many milliseconds each; the turn of the event loop in which each was made. */
async function turnsOf(lists: number, listMs: number, onTurn: (turns: Turns) => void = () => {}) {
  const turns = new Turns();
  const madeIn: number[] = [];
  let turn = 0;
  let counting = true;
  const count = (): void => {
    turn++;
    onTurn(turns);
    if (counting) setImmediate(count);
  };
  count();
  await Promise.all(
    Array.from({ length: lists }, async () => {
      await turns.next();
      madeIn.push(turn);
      for (const until = performance.now() + listMs; performance.now() < until; );
    }),
  );
  counting = false;
  return madeIn;
}

describe("lists that are asked for at once", () => {
  it("are made a turn of the event loop each, when one takes as long as a turn may", async () => {
    const madeIn = await turnsOf(10, 6);
    assert.equal(new Set(madeIn).size, 10);
    assert.deepEqual(
      madeIn,
      madeIn.toSorted((a, b) => a - b),
    );
  });

  it("share turns when they are short, and never more than a few do", async () => {
    const madeIn = await turnsOf(100, 0);
    const shared = [...new Set(madeIn)].map((turn) => madeIn.filter((one) => one === turn).length);
    assert.ok(Math.max(...shared) <= 16 && shared.length < 100, `${shared}`);
  });

  it("leave turns to new connections, and not for ever", async () => {
    const [undisturbed] = await turnsOf(1, 0);
    const [first, second] = await turnsOf(2, 6, (turns) => turns.connected());
    assert.ok(first >= undisturbed + 8, `${first}`);
    assert.ok(second >= first + 8 && second <= first + 10, `${second}`);
  });

  it("are made in the order in which they were asked for, and later ones too", async () => {
    const turns = new Turns();
    const made: number[] = [];
    const list = async (n: number): Promise<void> => {
      await turns.next();
      made.push(n);
    };
    await Promise.all([list(0), list(1), list(2)]);
    await list(3);
    assert.deepEqual(made, [0, 1, 2, 3]);
  });
});
