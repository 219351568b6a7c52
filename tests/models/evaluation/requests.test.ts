import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import {
  type EvaluationRequest,
  prequentialRequests,
  splitRequests,
} from "../../../models/evaluation/requests.ts";
import { logOf, logOfPairs } from "../../support/interaction-logs.ts";

const vocabulary = (letters: string) => new Vocabulary([...letters].map(itemId));
const spelled = ({ user, history, relevant }: EvaluationRequest) =>
  `${user}: ${history.map(({ itemId }) => itemId).join("")} > ${relevant.join("")}`;

describe("prequential requests", () => {
  it("ask at every later event with all that came before, train included", () => {
    const log = logOfPairs("u:a v:a u:b u:c v:c u:d");
    const set = prequentialRequests(log, { from: 3, recommendable: vocabulary("abcd"), seed: 1 });
    assert.deepEqual(set.requests.map(spelled), ["u: ab > cd", "u: abc > d", "v: a > c"]);
    assert.equal(set.users, 2);
  });

  it("never ask at a user's very first event", () => {
    const log = logOfPairs("u:a u:b v:a v:b");
    const set = prequentialRequests(log, { from: 2, recommendable: vocabulary("ab"), seed: 1 });
    assert.deepEqual(set.requests.map(spelled), ["v: a > b"]);
  });

  it("look at the next new items and keep those that can be recommended", () => {
    const log = logOfPairs("u:a u:b u:x u:b u:c u:d");
    const set = prequentialRequests(log, {
      from: 2,
      recommendable: vocabulary("abcd"),
      relevantEvents: 2,
      maxRequestsPerUser: 20,
      seed: 1,
    });
    // x takes one of the two places though it cannot be recommended; the repeated b takes none.
    assert.deepEqual(set.requests.map(spelled), ["u: ab > c", "u: abx > cd", "u: abxb > cd", "u: abxbc > d"]);
    assert.equal(set.coldTargets, 1);
  });

  it("drop and count moments with nothing to recommend or nothing to go by", () => {
    const log = logOfPairs("u:x v:a v:b u:a u:y v:y");
    const set = prequentialRequests(log, { from: 3, recommendable: vocabulary("ab"), seed: 1 });
    // u's history is x alone at its first moment; after a, only y is left for both users.
    assert.deepEqual(set.requests.map(spelled), []);
    assert.equal(set.dropped, 3);
    assert.equal(set.users, 0);
  });

  it("see nothing from the end of their window on", () => {
    const log = logOfPairs("u:a u:b u:c u:d u:e");
    const set = prequentialRequests(log, { from: 2, to: 4, recommendable: vocabulary("abcde"), seed: 1 });
    assert.deepEqual(set.requests.map(spelled), ["u: ab > cd", "u: abc > d"]);
  });

  it("keep the file order of events with one timestamp", () => {
    const events = [..."abcde"].map((item) => ({ user: "u", item, at: 7 }));
    const set = prequentialRequests(logOf(events), { from: 3, recommendable: vocabulary("abcde"), seed: 1 });
    assert.deepEqual(set.requests.map(spelled), ["u: abc > de", "u: abcd > e"]);
  });

  it("sample a heavy user by seed, without repeats, in time order", () => {
    const log = logOfPairs(Array.from({ length: 60 }, (_, item) => `u:i${item}`).join(" "));
    const recommendable = log.items;
    const ask = (seed: number) =>
      prequentialRequests(log, { from: 10, recommendable, maxRequestsPerUser: 20, seed }).requests.map(
        ({ history }) => history.length,
      );
    const lengths = ask(4);
    assert.equal(new Set(lengths).size, 20);
    assert.deepEqual(
      lengths,
      [...lengths].sort((a, b) => a - b),
    );
    assert.deepEqual(ask(4), lengths);
    assert.notDeepEqual(ask(5), lengths);
  });

  it("ask a sample of the users where there are more, and say of how many", () => {
    const log = logOfPairs(Array.from({ length: 60 }, (_, event) => `u${event % 20}:i${event}`).join(" "));
    const ask = (seed: number, maxUsers?: number) =>
      prequentialRequests(log, { from: 20, recommendable: log.items, maxUsers, seed });
    const everybody = ask(1);
    assert.deepEqual([everybody.users, everybody.sampledFrom], [20, undefined]);
    assert.deepEqual(ask(1, 20), everybody);
    const some = ask(1, 7);
    assert.deepEqual([some.users, some.sampledFrom], [7, 20]);
    assert.deepEqual(ask(1, 7), some);
    const asked = (set: typeof some) => [...new Set(set.requests.map(({ user }) => user))].join();
    assert.notEqual(asked(ask(2, 7)), asked(some));
    const whole = everybody.requests.map(spelled);
    assert.ok(some.requests.map(spelled).every((request) => whole.includes(request)));
  });

  it("are none in a window without events, and refuse one outside the log", () => {
    const ask = (from: number) =>
      prequentialRequests(logOfPairs("u:a"), { from, recommendable: vocabulary("a"), seed: 1 });
    assert.deepEqual(ask(1).requests, []);
    assert.throws(() => ask(2), /expected 0 ≤ from ≤ to ≤ 1/);
  });
});

describe("split requests", () => {
  it("ask once per test user for the test items that are not in the train rows", () => {
    const set = splitRequests(logOfPairs("u:a u:b v:a"), logOfPairs("v:b u:b u:c u:c"));
    assert.deepEqual(set.requests.map(spelled), ["v: a > b", "u: ab > c"]);
  });
  it("drop and count users whose test items were all seen", () => {
    const set = splitRequests(logOfPairs("u:a v:b"), logOfPairs("u:a v:a"));
    assert.deepEqual(set.requests.map(spelled), ["v: b > a"]);
    assert.equal(set.dropped, 1);
  });
  it("keep users without train rows and targets no model can know, and count both", () => {
    const set = splitRequests(logOfPairs("u:a"), logOfPairs("w:a w:z"));
    assert.deepEqual(set.requests.map(spelled), ["w:  > az"]);
    assert.equal(set.coldUsers, 1);
    assert.equal(set.coldTargets, 1);
  });
});
