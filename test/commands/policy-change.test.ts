// What was judged is what is written: a change that comes in between must not be overwritten unseen.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { applyChange } from "../../src/commands/policy-change.ts";
import { wireUp } from "../../src/commands/wire-up.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Home } from "../../src/host/home.ts";

test("a config that changes between the yes and the write is not written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "janee-change-"));
  const environment = {
    JANEE_HOME: join(folder, "home"),
    XDG_STATE_HOME: join(folder, "state"),
    JANEE_UNATTENDED: "1",
  };
  const talk = { environment, json: false, print: () => {}, printJson: () => {}, say: () => {} };
  try {
    const home = await Home.open(environment, true);
    assert.ok(home instanceof Home);
    const janee = wireUp(home);
    assert.ok(!(janee instanceof Failure));
    const add = (name: string) => [
      {
        path: ["services", name],
        value: { baseUrl: "http://127.0.0.1:9", auth: { type: "bearer", key: "sk_test_change_0123456789" } },
      },
    ];
    assert.equal(
      await applyChange(janee, talk, { command: "a", credential: "new", plan: () => add("one") }),
      undefined,
    );
    let looks = 0;
    const changed = await applyChange(janee, talk, {
      command: "b",
      credential: "none",
      plan: () => {
        looks += 1;
        // Another process takes its turn right after the change was judged.
        if (looks === 1) appendFileSync(home.configPath, "audit: { sync: true }\n");
        return [{ path: ["services", "one", "allowRange"], value: true }];
      },
    });
    assert.equal(changed?.code, "too_busy");
    assert.ok(!readFileSync(home.configPath, "utf8").includes("allowRange"));
    assert.equal(
      await applyChange(janee, talk, { command: "c", credential: "new", plan: () => add("two") }),
      undefined,
    );
    janee.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
