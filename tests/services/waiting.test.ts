import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { again, endsWithin, inTime, retry } from "../../services/waiting.ts";
import { eventually } from "../support/eventually.ts";

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

describe("doing again and again", () => {
  it("goes on after an error, with a pause after each time, until it is closed, even in the midst of one", async () => {
    const errors: unknown[] = [];
    let times = 0;
    let release = (): void => {};
    const work = async (): Promise<void> => {
      times++;
      if (times === 1) throw new Error("the first time");
      if (times === 3) await new Promise<void>((resolve) => (release = resolve));
    };
    const going = again(1, work, (error) => errors.push(error));
    await eventually(() => times === 3);
    assert.equal(errors.length, 1);
    going.close();
    release();
    // As long as another one takes for ten times.
    let others = 0;
    const another = again(1, async () => void others++, assert.ifError);
    await eventually(() => others >= 10);
    another.close();
    assert.equal(times, 3);
  });
});
