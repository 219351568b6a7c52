import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { isAssigned, placeOf } from "../../../models/gate/assignment.ts";
import { creditsOf, interleavedDifference, teamDraft } from "../../../models/gate/interleaving.ts";

const list = (letters: string) => [...letters].map(itemId);
const spelled = (drafted: ReturnType<typeof teamDraft>) =>
  drafted.map(({ itemId, team }) => itemId + team[0]).join(" ");
const heads = { next: () => 0, integer: () => 0, normal: () => 0 };

describe("team draft", () => {
  it("lets the teams take turns with their best item not yet listed", () => {
    const drafted = teamDraft({ challenger: list("abcd"), baseline: list("bxay") }, 6, heads);
    assert.equal(spelled(drafted), "ac bb cc xb dc yb");
  });
  it("never lists an item twice and keeps the teams within one pick of each other", () => {
    const random = seededRandom(2);
    for (let round = 0; round < 100; round++) {
      const drafted = teamDraft({ challenger: list("abcdefgh"), baseline: list("hgfedcba") }, 7, random);
      assert.equal(new Set(drafted.map(({ itemId }) => itemId)).size, 7);
      const ours = drafted.filter(({ team }) => team === "challenger").length;
      assert.ok(Math.abs(ours - (7 - ours)) === 1);
    }
  });
  it("gives the places of a challenger without a list back", () => {
    assert.equal(spelled(teamDraft({ challenger: [], baseline: list("abc") }, 3, heads)), "ab bb cb");
    assert.equal(spelled(teamDraft({ challenger: list("ab"), baseline: list("ab") }, 5, heads)), "ac bb");
  });
  it("is fair: identical lists win credits equally often", () => {
    const random = seededRandom(6);
    let sum = 0;
    for (let user = 0; user < 4000; user++) {
      const drafted = teamDraft({ challenger: list("abcdef"), baseline: list("abcdef") }, 6, random);
      const chosen = new Set(list("abcdef").filter(() => random.next() < 0.3));
      sum += interleavedDifference(creditsOf(drafted, chosen)) ?? 0;
    }
    assert.ok(Math.abs(sum / 4000) < 0.03, `${sum / 4000}`);
  });
  it("credits the team that gave the item", () => {
    const drafted = teamDraft({ challenger: list("ab"), baseline: list("cd") }, 4, heads);
    const credits = creditsOf(drafted, new Set(list("abc")));
    assert.deepEqual(credits, { challenger: 2, baseline: 1 });
    assert.equal(interleavedDifference(credits), 1 / 3);
    assert.equal(interleavedDifference({ challenger: 0, baseline: 0 }), null);
  });
});

describe("assignment", () => {
  it("is sticky, spread evenly, and nested as the share grows", () => {
    const ids = Array.from({ length: 4000 }, (_, index) => `user-${index}`);
    const small = ids.filter((id) => isAssigned(id, "canary", 0.05));
    const large = new Set(ids.filter((id) => isAssigned(id, "canary", 0.25)));
    assert.ok(small.every((id) => large.has(id)));
    assert.ok(Math.abs(large.size - 1000) < 100 && Math.abs(small.length - 200) < 60);
    assert.equal(placeOf("user-1", "canary"), placeOf("user-1", "canary"));
    assert.notEqual(placeOf("user-1", "canary"), placeOf("user-1", "shadow"));
  });
});
