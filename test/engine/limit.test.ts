// `limit: 3/m`: a sliding window in the store, so that every process counts together.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Capability } from "../../src/engine/config.ts";
import { countUse, refuseOverLimit } from "../../src/engine/limit.ts";
import type { Store } from "../../src/engine/ports.ts";
import { openStore, type SqliteStore } from "../../src/host/store-sqlite.ts";
import { read, capability as sample } from "./config-sample.ts";

const home = mkdtempSync(join(tmpdir(), "janee-limit-"));
const opened: SqliteStore[] = [];
after(() => {
  for (const store of opened) store.close();
  rmSync(home, { recursive: true, force: true });
});

let count = 0;
function newPath(): string {
  count += 1;
  return join(home, `${count}.db`);
}

function store(path = newPath()): SqliteStore {
  const made = openStore(path);
  opened.push(made);
  return made;
}

function limited(limit: string | undefined, name = "c"): Capability {
  const found = read(sample(...(limit === undefined ? [] : [`limit: ${limit}`]))).config.capabilities.get(
    "c",
  );
  if (!found) assert.fail("no capability");
  return { ...found, name };
}

const minute = 60_000;
const start = 1_800_000_000_000 - (1_800_000_000_000 % minute);

/** How many of so many tries at this time get through, each counted as it is spent. */
function through(on: Store, capability: Capability, now: number, tries: number): number {
  let passed = 0;
  for (let at = 0; at < tries; at++) {
    if (refuseOverLimit(on, capability, now)) continue;
    countUse(on, capability, now);
    passed += 1;
  }
  return passed;
}

test("exactly so many pass in one window, and the next is told when to come back", () => {
  const [on, capability] = [store(), limited("3/m")];
  assert.equal(through(on, capability, start, 3), 3);
  const refused = refuseOverLimit(on, capability, start);
  assert.equal(refused?.code, "limit_reached");
  assert.ok(refused.message.includes("3/m"));
  assert.equal(refused.retryAfter, 60);
  assert.equal(refuseOverLimit(on, capability, start + minute - 1)?.retryAfter, 1);
});

test("what was used in the last window counts for the share of it that is still in reach", () => {
  const [on, capability] = [store(), limited("4/m")];
  assert.equal(through(on, capability, start + minute - 1, 9), 4);
  assert.equal(through(on, capability, start + minute, 9), 0);
  assert.equal(through(on, capability, start + minute + minute / 4 - 1, 9), 0);
  assert.equal(through(on, capability, start + minute + minute / 4, 9), 1);
  assert.equal(through(on, capability, start + minute + minute / 2, 9), 1);
  assert.equal(through(on, capability, start + 3 * minute, 9), 4);
});

test("in no stretch as long as the window do more than so many pass from a standing start", () => {
  const [on, capability] = [store(), limited("5/m")];
  const times: number[] = [];
  for (let now = start; now < start + 4 * minute; now += 1_000) {
    if (through(on, capability, now, 1) === 1) times.push(now);
  }
  assert.ok(times.length >= 15, `only ${times.length} passed`);
  // Two counters stand for a true window: the error is bounded by one use in each.
  for (const from of times) {
    assert.ok(times.filter((time) => time >= from && time < from + minute).length <= 6, String(from - start));
  }
});

test("two processes count together, and two capabilities apart", () => {
  const path = newPath();
  const [one, two] = [store(path), store(path)];
  const capability = limited("3/m");
  assert.equal(through(one, capability, start, 2), 2);
  assert.equal(through(two, capability, start, 2), 1);
  assert.equal(through(one, capability, start, 2), 0);
  assert.equal(through(two, limited("3/m", "d"), start, 9), 3);
});

test("a capability without a limit is not counted", () => {
  const on = store();
  assert.equal(through(on, limited(undefined), start, 50), 50);
  assert.deepEqual(on.readUse("c", Math.floor(start / minute)), { current: 0, previous: 0 });
});

test("windows that are long gone are forgotten, and the last one is not", () => {
  const on = store();
  for (const window of [1, 2, 2, 3]) on.countUse("c", window);
  assert.deepEqual(on.readUse("c", 3), { current: 1, previous: 2 });
  assert.deepEqual(on.readUse("c", 2), { current: 2, previous: 0 });
});
