import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { learningCurve, stillRises } from "../../../models/evaluation/learning-curve.ts";

/** So many users around a mean, the same for the same seed. */
function scores(mean: number, spread: number, seed: number, users = 200): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: users }, () => mean + spread * random.normal());
}

function curveOf(parts: readonly (readonly (readonly number[])[])[]) {
  const samples = parts.map((of, at) => {
    const share = 2 ** (at + 1 - parts.length);
    return { share, events: 8000 * share, parts: of };
  });
  return learningCurve(samples, 1);
}

describe("the learning curve", () => {
  it("extends a curve that gains the same with each doubling by that gain, and says yes", () => {
    const curve = curveOf([[scores(0.06, 0, 1)], [scores(0.08, 0, 1)], [scores(0.1, 0, 1)]]);
    assert.ok(Math.abs(curve.nextDoubling.mean - 0.02) < 1e-12);
    assert.ok(Math.abs(curve.lastDoubling.mean - 0.02) < 1e-12);
    assert.match(curve.answer, /^More data would help: twice the data would bring about \+0\.0200/);
  });

  it("fits by least squares: 0.01, 0.05, 0.06 rise by half of 0.05 a doubling", () => {
    const curve = curveOf([[scores(0.01, 0, 1)], [scores(0.05, 0, 1)], [scores(0.06, 0, 1)]]);
    assert.ok(Math.abs(curve.nextDoubling.mean - 0.025) < 1e-12);
    assert.ok(Math.abs(curve.lastDoubling.mean - 0.01) < 1e-12);
  });

  it("says hardly where the curve is level and the interval narrow", () => {
    const curve = curveOf([[scores(0.1, 0.01, 1)], [scores(0.1, 0.01, 1)], [scores(0.1, 0.01, 1)]]);
    assert.equal(stillRises(curve), false);
    assert.match(curve.answer, /^More data would hardly help: /);
  });

  it("says that it cannot be told where users differ more than shares do", () => {
    const curve = curveOf([[scores(0.09, 0.2, 1)], [scores(0.095, 0.2, 2)], [scores(0.1, 0.2, 3)]]);
    assert.match(curve.answer, /^Whether more data would help cannot be told: /);
  });

  it("is less certain when the parts of a share disagree", () => {
    const level = scores(0.1, 0.02, 1);
    const low = level.map((score) => score - 0.05);
    const width = ({ nextDoubling }: ReturnType<typeof curveOf>) => nextDoubling.high - nextDoubling.low;
    assert.ok(
      width(curveOf([[level, low], [level], [level]])) > 2 * width(curveOf([[level], [level], [level]])),
    );
  });

  it("refuses a single share, and nobody to judge by", () => {
    assert.throws(() => curveOf([[scores(0.1, 0, 1)]]), /expected two shares or more .* got 1 and 200 users/);
    assert.throws(() => curveOf([[[]], [[]]]), /got 2 and 0 users/);
  });
});
