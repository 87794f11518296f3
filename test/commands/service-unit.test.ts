// What the system is told to run at each login, and that nothing else is written for it.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { problemInUnit, systemOf, unitFor } from "../../src/commands/service-unit.ts";
import { inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };
const wanted = {
  words: ["/opt/my tools/janee", "serve", "--port", "5999"],
  environment: { JANEE_HOME: '/home/a b/50% "off" $HOME' },
  userHome: "/home/a",
  uid: 501,
};

test("systemd reads back the very words and values", () => {
  const { text, file, start, stop } = unitFor("systemd", wanted);
  assert.equal(file, "/home/a/.config/systemd/user/janee.service");
  assert.match(text, /^ExecStart="\/opt\/my tools\/janee" "serve" "--port" "5999"$/m);
  assert.match(text, /^Environment="JANEE_HOME=\/home\/a b\/50%% \\"off\\" \$HOME"$/m);
  // A dollar is expanded in the words alone.
  const dollar = unitFor("systemd", { ...wanted, words: ["/opt/janee", "$HOME"] });
  assert.match(dollar.text, /^ExecStart="\/opt\/janee" "\$\$HOME"$/m);
  assert.deepEqual(start.at(-1), ["systemctl", "--user", "enable", "--now", "janee.service"]);
  assert.deepEqual(stop, [["systemctl", "--user", "disable", "--now", "janee.service"]]);
});

test("launchd gets one string a word, with XML's own signs escaped", () => {
  const { text, file } = unitFor("launchd", { ...wanted, words: ["/a&b/<janee>", "serve"] });
  assert.match(text, /<string>\/a&amp;b\/&lt;janee&gt;<\/string>\n {4}<string>serve<\/string>/);
  assert.ok(file?.endsWith("Library/LaunchAgents/sh.janee.serve.plist"));
});

test("a path that would write lines of its own into the unit is refused", () => {
  const hostile = { ...wanted, environment: { JANEE_HOME: '/home/a"\nExecStartPre=/bin/evil' } };
  assert.match(problemInUnit(hostile) ?? "", /control character/);
  assert.equal(problemInUnit(wanted), undefined);
});

test("a task of Windows is one line with quoted words", () => {
  const { text, file, stop } = unitFor("windows", wanted);
  assert.equal(file, undefined);
  assert.equal(text, '"/opt/my tools/janee" serve --port 5999');
  assert.equal(stop.length, 2);
  assert.deepEqual(
    [systemOf("darwin"), systemOf("win32"), systemOf("linux")],
    ["launchd", "windows", "systemd"],
  );
});

test("install writes one file, uninstall takes it back, and a second one says so", limit, () =>
  inHome(async (home) => {
    // Without a manager to talk to, what is left to do is said instead.
    const env = { PATH: home.beside };
    const ran = await home.run(["serve", "--install", "--port", "5999", "--json"], { env });
    assert.equal(ran.status, 6, "what was not started is not installed");
    const installed = JSON.parse(ran.stdout) as { file: string; left: string[][]; why: string };
    assert.equal(installed.why, "there is no systemctl on this machine");
    assert.equal(installed.file, join(home.beside, ".config/systemd/user/janee.service"));
    assert.match(readFileSync(installed.file, "utf8"), /"serve" "--port" "5999"/);
    assert.match(readFileSync(installed.file, "utf8"), /JANEE_HOME=/);
    assert.deepEqual(installed.left[0], ["systemctl", "--user", "daemon-reload"]);
    const again = await home.run(["serve", "--install"], { env });
    assert.match(again.stderr, /could not be started here: there is no systemctl.*\n {2}→ do this by hand/);
    await home.do(["serve", "--uninstall"], { env });
    assert.ok(!existsSync(installed.file));
    const gone = await home.run(["serve", "--uninstall"], { env });
    assert.equal(gone.status, 2);
    assert.match(gone.stderr, /nothing to take back/);
    const keyed = await home.run(["serve", "--install"], { env: { ...env, JANEE_KEY: "x" } });
    assert.equal(keyed.status, 2);
    assert.ok(!existsSync(installed.file));
  }),
);
