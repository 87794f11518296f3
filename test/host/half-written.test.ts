// A config that is written in place can be read when it is half there. What is missing then must not open anything.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Home } from "../../src/host/home.ts";

const whole = `services:
  up: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: sk_test_half_written_0123 } }
capabilities:
  up:
    service: up
    rules:
      - allow: GET /v1/*
`;
const cut = whole.slice(0, whole.indexOf("    rules:"));

async function withHome(work: (home: Home, path: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "janee-half-"));
  try {
    const environment = { JANEE_HOME: join(folder, "home"), XDG_STATE_HOME: join(folder, "state") };
    const made = await Home.open(environment, true);
    assert.ok(made instanceof Home);
    writeFileSync(made.configPath, whole);
    const home = await Home.open(environment, false);
    assert.ok(home instanceof Home);
    work(home, home.configPath);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unrestricted(home: Home): boolean | undefined {
  home.lookAgain();
  return home.current().config.capabilities.get("up")?.rules.unrestricted;
}

test("a file that has just lost its rules in place is not believed yet; settled, it is", () =>
  withHome((home, path) => {
    assert.equal(unrestricted(home), false);
    writeFileSync(path, cut);
    assert.equal(unrestricted(home), false, "half written");
    const before = new Date(Date.now() - 10_000);
    utimesSync(path, before, before);
    assert.equal(unrestricted(home), true, "the person meant it");
  }));

test("a narrowing written in place holds at once", () =>
  withHome((home, path) => {
    assert.equal(unrestricted(home), false);
    writeFileSync(
      path,
      whole.replace("      - allow: GET /v1/*", "      - deny: GET /v1/a\n      - allow: GET /v1/*"),
    );
    home.lookAgain();
    const decision = home.current().config.capabilities.get("up")?.rules.decide("GET", "/v1/a");
    assert.equal(decision?.effect, "deny");
  }));
