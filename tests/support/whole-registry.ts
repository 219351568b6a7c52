import assert from "node:assert/strict";
import type { RedisRegistry } from "../../services/registry/registry.ts";

/** Pointer, states and audit tell one story. Resolves to the epoch. */
export async function assertWhole(registry: RedisRegistry): Promise<number> {
  assert.equal(await registry.verifyAudit(), null);
  const live = await registry.live();
  const last = (await registry.liveHistory()).at(-1);
  assert.ok(live !== null && last !== undefined);
  assert.deepEqual([live.version, live.liveEpoch, live.since], [last.version, last.epoch, last.since]);
  const inState = async (state: string) =>
    (await registry.versions()).filter((record) => record.state === state).map(({ version }) => version);
  assert.deepEqual(await inState("LIVE"), [live.version]);
  assert.deepEqual(await inState("PREVIOUS"), live.previous === null ? [] : [live.previous]);
  assert.deepEqual(live.stack[0] ?? null, live.previous);
  for (const version of live.stack.slice(1)) {
    assert.equal((await registry.version(version))?.state, "RETIRED", `${version}, deeper in the stack`);
  }
  assert.deepEqual(await inState("CANARY"), live.canary === null ? [] : [live.canary.version]);
  return live.epoch;
}
