import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Home, inHome, janeeCommand } from "../support/janee.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };

const config = `services:
  api: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: a-key-of-some-length-1 } }
capabilities:
  api: { service: api, autoApprove: true }
`;

function entry(second: number, fields: Record<string, unknown>): string {
  const timestamp = `2026-01-15T10:30:${String(second).padStart(2, "0")}.000Z`;
  return JSON.stringify({ timestamp, id: `id-${second}`, event: "request", capability: "api", ...fields });
}

const admitted = { method: "GET", path: "/v1/a", query: "", decision: "allow", agent: "claude-code" };
const lines = {
  request: entry(1, { ...admitted, id: "one" }),
  response: entry(2, {
    ...admitted,
    id: "one",
    event: "response",
    status: 200,
    outcome: "ok",
    durationMs: 84,
  }),
  refused: entry(3, {
    method: "DELETE",
    path: "/v1/b",
    decision: "deny",
    code: "rule_denied",
    outcome: "refused",
  }),
  session: entry(4, { event: "session", outcome: "granted", session: "k3f9", capability: "other" }),
  start: entry(5, { event: "start", message: "serve", capability: undefined }),
  open: entry(6, { ...admitted, id: "never", path: "/v1/open" }),
};

function write(home: Home, name: string, ...texts: string[]): void {
  writeFileSync(join(home.path, name), texts.map((text) => `${text}\n`).join(""), { mode: 0o600 });
}

async function shown(home: Home, ...args: string[]): Promise<string[]> {
  const { stdout } = await home.do(["logs", ...args]);
  return stdout.split("\n").filter((line) => line !== "");
}

test("logs: one line a request, refusals and events, across rotated files in their order", limit, () =>
  inHome(async (home) => {
    write(home, "audit.log.1", lines.request, lines.response);
    write(home, "audit.log.2", lines.refused);
    write(home, "audit.log", lines.session, lines.start, lines.open);
    assert.deepEqual(await shown(home), [
      "2026-01-15T10:30:02Z  api  GET /v1/a  200  84ms  claude-code",
      "2026-01-15T10:30:03Z  api  DELETE /v1/b  refused rule_denied",
      "2026-01-15T10:30:04Z  other  session granted k3f9",
      "2026-01-15T10:30:06Z  api  GET /v1/open  no response  claude-code",
    ]);
  }),
);

test("logs --json prints the lines unchanged", limit, () =>
  inHome(async (home) => {
    write(home, "audit.log", ...Object.values(lines));
    assert.deepEqual(await shown(home, "--json"), [lines.response, lines.refused, lines.session, lines.open]);
    assert.deepEqual(await shown(home, "--json", "--all"), Object.values(lines));
  }),
);

test("logs: --capability, --denied and --since choose", limit, () =>
  inHome(async (home) => {
    write(home, "audit.log", ...Object.values(lines));
    assert.deepEqual(await shown(home, "--json", "--capability", "other"), [lines.session]);
    assert.deepEqual(await shown(home, "--json", "--denied"), [lines.refused]);
    assert.deepEqual(await shown(home, "--json", "--since", "2026-01-15T10:30:04Z"), [
      lines.session,
      lines.open,
    ]);
    assert.deepEqual(await shown(home, "--since", "1s"), []);
    for (const since of ["soon", "2026-13-45", "0h"]) {
      assert.equal((await home.run(["logs", "--since", since])).status, 2, since);
    }
  }),
);

test("logs: torn and foreign lines are skipped with one note, and nothing steers the terminal", limit, () =>
  inHome(async (home) => {
    const hostile = entry(7, { ...admitted, event: "response", path: "/\u001b[8m\u202e", status: 200 });
    write(
      home,
      "audit.log",
      lines.refused.slice(0, 40),
      "17",
      hostile.replaceAll("\\u001b", "\\u001b"),
      "{}",
    );
    const { stdout, stderr } = await home.do(["logs"]);
    assert.equal(stdout, "2026-01-15T10:30:07Z  api  GET /\\u001b[8m\\u202e  200  claude-code\n");
    assert.match(stderr, /^janee: 3 lines were skipped/);
    assert.equal(stderr.trim().split("\n").length, 1);
  }),
);

test("logs: a mistyped argument, and a flag that does not go with verify", limit, () =>
  inHome(async (home) => {
    const mistyped = await home.run(["logs", "verfy"]);
    assert.equal(mistyped.status, 2);
    assert.match(mistyped.stderr, /did you mean "verify"/);
    assert.equal((await home.run(["logs", "verify", "--denied"])).status, 2);
  }),
);

test("logs -f goes on over a rotation and a truncation, and ends on SIGTERM", limit, () =>
  inHome(async (home) => {
    const file = join(home.path, "audit.log");
    write(home, "audit.log", lines.response);
    const [command = "", ...before] = janeeCommand();
    const child = spawn(command, [...before, "logs", "-f", "--json"], { env: home.environment() });
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    const ended = new Promise<number | null>((done) => child.on("close", done));
    const sees = (text: string): Promise<true> => until(20_000, text.slice(0, 60), () => out.includes(text));
    try {
      await sees(lines.response);
      const [half, rest] = [lines.refused.slice(0, 50), lines.refused.slice(50)];
      appendFileSync(file, half);
      appendFileSync(file, `${rest}\n`);
      await sees(lines.refused);
      appendFileSync(file, `${lines.session}\n`);
      renameSync(file, `${file}.1`);
      writeFileSync(file, `${lines.open}\n`, { mode: 0o600 });
      await sees(lines.session);
      await sees(lines.open);
      // Shorter than what was read of it: longer, a truncation could not be told from growth.
      writeFileSync(file, '{"event":"session","id":"x"}\n');
      await sees('"id":"x"');
    } finally {
      // Not child.kill: after it, Deno tells of a signal even when the child ended by itself.
      if (child.pid !== undefined) process.kill(child.pid, "SIGTERM");
    }
    assert.equal(await ended, 0);
    assert.equal(out.split("\n").filter((line) => line !== "").length, 5);
  }),
);

test("logs verify: what janee wrote is intact, with many writers; a changed line is named", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config);
    for (let count = 0; count < 3; count++) await home.grant("api");
    const report = await home.json<{ intact: boolean; lines: number; writers: number; notes: unknown[] }>([
      "logs",
      "verify",
    ]);
    assert.deepEqual([report.intact, report.lines, report.writers, report.notes], [true, 3, 3, []]);
    assert.match((await home.do(["logs", "verify"])).stdout, /^intact: 3 lines of 3 writers$/m);

    const file = join(home.path, "audit.log");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.split("\n").toSpliced(1, 1).join("\n"));
    const cut = await home.run(["logs", "verify"]);
    assert.equal(cut.status, 5);
    assert.match(
      cut.stderr,
      /the audit trail is not intact: all 1 lines of writer \w+ are missing, from line 1 on/,
    );

    writeFileSync(file, text.replace('"granted"', '"grantee"'));
    const changed = await home.run(["logs", "verify", "--json"]);
    assert.equal(changed.status, 5);
    const broken = JSON.parse(changed.stdout) as {
      intact: boolean;
      error: { code: string; message: string };
    };
    assert.equal(broken.intact, false);
    assert.equal(broken.error.code, "audit_broken");
    assert.match(broken.error.message, /audit\.log:1 was changed/);

    writeFileSync(file, text);
    assert.equal((await home.run(["logs", "verify"])).status, 0);
  }),
);
