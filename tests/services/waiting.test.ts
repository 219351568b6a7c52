import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endsWithin, inTime, retry } from "../../services/waiting.ts";

const never = new Promise<never>(() => {});
const late = () => new Error("too late");

describe("waiting in time", () => {
  it("gives what the work gives, or its error", async () => {
    assert.equal(await inTime(60_000, async () => 7, late), 7);
    await assert.rejects(
      inTime(60_000, () => Promise.reject(new Error("its own")), late),
      /its own/,
    );
  });

  it("rejects with the error for lateness, and tells the work, whose next step need not begin", async () => {
    let told: AbortSignal | undefined;
    await assert.rejects(
      inTime(
        1,
        (signal) => {
          told = signal;
          return never;
        },
        late,
      ),
      /too late/,
    );
    assert.equal(told?.aborted, true);
  });
});

describe("waiting for an end", () => {
  it("says whether the end came, and passes an error on", async () => {
    assert.equal(await endsWithin(60_000, Promise.resolve()), true);
    assert.equal(await endsWithin(1, never), false);
    await assert.rejects(endsWithin(60_000, Promise.reject(new Error("its own"))), /its own/);
  });
});

describe("trying again", () => {
  it("goes on until it succeeds, and numbers the attempts from 1", async () => {
    const failed: number[] = [];
    let calls = 0;
    const work = async () => {
      calls++;
      if (calls < 4) throw new Error(`call ${calls}`);
      return calls;
    };
    const done = await retry(work, (attempt) => {
      failed.push(attempt);
      return 0;
    });
    assert.deepEqual([done, failed], [4, [1, 2, 3]]);
  });

  it("gives up with the last error", async () => {
    let calls = 0;
    const work = () => Promise.reject(new Error(`call ${++calls}`));
    await assert.rejects(
      retry(work, (attempt) => (attempt < 3 ? 0 : null)),
      /call 3/,
    );
  });
});
