// Sessions that nobody can use any more, beside live ones that somebody can.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { examine, healthy, others } from "../support/doctor.ts";
import { inHome, janeeCommand } from "../support/janee.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 90_000 };

test("doctor: a session whose capability is gone, and one whose is there", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const { session } = await home.grant("api");
    const well = await examine(home);
    assert.deepEqual(others(well.findings), []);
    assert.ok(well.findings.some(({ message }) => message === "1 live, none stale"));
    home.writeConfig(home.readConfig().replace("capabilities:\n  api:", "capabilities:\n  other:"));
    const { findings } = await examine(home);
    const finding = findings.find(({ check, level }) => check === "sessions" && level === "warn");
    assert.match(finding?.message ?? "", /the config has no such capability any more/);
    assert.equal(finding?.remedy, `janee revoke ${session}`);
    await home.do(["revoke", session]);
    assert.deepEqual(others((await examine(home)).findings), []);
  }),
);

if (process.platform !== "win32") {
  test("doctor: what a killed janee run has left, and what a living one has", limit, () =>
    inHome(async (home) => {
      await healthy(home);
      const [program = "", ...before] = janeeCommand();
      const child = spawn(program, [...before, "run", "--capability", "api", "--", "sleep", "30"], {
        env: home.environment(),
        detached: true,
        stdio: "ignore",
      });
      const runs = join(home.path, "runs");
      const [id = ""] = await until(30_000, "the run's folder", () => {
        const made = existsSync(runs) ? readdirSync(runs) : [];
        return made.length > 0 && existsSync(join(runs, made[0] ?? "", "ca.pem")) ? made : undefined;
      });
      const long = new Date(Date.now() - 60_000);
      const age = (): void => utimesSync(join(runs, id), long, long);
      try {
        age();
        const living = await examine(home);
        assert.deepEqual(others(living.findings), []);
        assert.ok(living.findings.some(({ message }) => message === "1 live, none stale"));
      } finally {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      }
      await until(20_000, "the end of the run", () => child.signalCode !== null || child.exitCode !== null);
      age();
      const { findings } = await examine(home);
      const finding = findings.find(({ check, level }) => check === "sessions" && level === "warn");
      assert.match(finding?.message ?? "", /was left by a janee run that was killed/);
      assert.match(finding?.remedy ?? "", /^janee revoke /);
      assert.ok(existsSync(join(runs, id)), "it was looked at, not cleared up");
    }),
  );
}
