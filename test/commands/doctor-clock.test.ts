// The clock, judged by what janee itself has written.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { clockFindings } from "../../src/commands/doctor-clock.ts";
import { examine, healthy, others } from "../support/doctor.ts";
import { inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };
const now = Date.parse("2026-01-15T10:30:00Z");
const hour = 3_600_000;

const warned = (seen: Parameters<typeof clockFindings>[0]): string[] =>
  clockFindings(seen)
    .filter(({ level }) => level === "warn")
    .map(({ message }) => message);

test("a clock that is behind what was seen, built or written is told once, and a minute is forgiven", () => {
  assert.match(warned({ now, stateAt: now + hour })[0] ?? "", /is 1h behind what janee has seen/);
  assert.match(warned({ now, trailAt: now + hour })[0] ?? "", /trail ends 1h ahead of this clock/);
  assert.match(warned({ now, builtAt: now + 48 * hour })[0] ?? "", /was made on 2026-01-17/);
  assert.equal(warned({ now, builtAt: now + 48 * hour, stateAt: now + hour, trailAt: now + hour }).length, 1);
  assert.deepEqual(warned({ now, builtAt: now + hour, stateAt: now + 30_000, trailAt: now + 30_000 }), []);
  assert.deepEqual(warned({ now }), []);
});

test("doctor: a trail from the future, and one from now", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    await home.grant("api");
    const well = await examine(home);
    assert.equal(others(well.findings).join("\n"), "");
    assert.ok(well.findings.some(({ check, level }) => check === "clock" && level === "ok"));
    const later = new Date(Date.now() + 5 * hour).toISOString();
    const text = home.auditText().replace(/"timestamp":"[^"]*"/g, `"timestamp":"${later}"`);
    writeFileSync(join(home.path, "audit.log"), text, { mode: 0o600 });
    const { findings } = await examine(home);
    const finding = findings.find(({ check, level }) => check === "clock" && level === "warn");
    assert.match(finding?.message ?? "", /trail ends 5h ahead of this clock/);
    assert.match(finding?.remedy ?? "", /set the clock right/);
  }),
);
