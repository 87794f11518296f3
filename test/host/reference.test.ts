// A credential may lie elsewhere: in the environment, in a file, or in what a command prints.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { References } from "../../src/host/reference.ts";

const root = mkdtempSync(join(tmpdir(), "janee-reference-"));
after(() => rmSync(root, { recursive: true, force: true }));

const canary = "sk_live_CANARY";

/** The credential, or the code of the failure, which never holds it. */
async function follow(
  reference: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const references = new References({
    environment,
    config: () => ({
      network: { proxy: undefined, noProxy: [], caFile: undefined },
      stores: { vault: undefined },
    }),
    unseal: () => assert.fail("nothing is sealed here"),
  });
  const found = await references.follow(reference);
  if (!(found instanceof Failure)) return found.reveal();
  assert.ok(!JSON.stringify(found).includes("CANARY"), JSON.stringify(found));
  return found.code;
}

function file(name: string, content: string): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}

function program(name: string, body: string): string {
  const path = file(name, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o700);
  return path;
}

test("env: the variable's value, of the environment that was given and no other", async () => {
  assert.equal(await follow("env:KEY", { KEY: canary }), canary);
  assert.equal(await follow("env:KEY", { KEY: "" }), "reference_failed");
  assert.equal(await follow("env:KEY", {}), "reference_failed");
  assert.equal(await follow("env:PATH", {}), "reference_failed");
});

test("file: its content without the newline at its end", async () => {
  assert.equal(await follow(`file:${file("plain", canary)}`), canary);
  assert.equal(await follow(`file:${file("line", `${canary}\n`)}`), canary);
  assert.equal(await follow(`file:${file("dos", `${canary}\r\n`)}`), canary);
  assert.equal(await follow(`file:${file("blank", ` ${canary} `)}`), ` ${canary} `);
  assert.equal(await follow(`file:${file("empty", "")}`), "reference_failed");
  assert.equal(await follow(`file:${file("newline", "\n")}`), "reference_failed");
  assert.equal(await follow(`file:${root}`), "reference_failed");
  assert.equal(await follow(`file:${join(root, "none")}`), "reference_failed");
});

test("what holds a control character or is too long is no credential", async () => {
  for (const content of [
    `${canary}\n${canary}`,
    `${canary}\n\n`,
    `a\u0000${canary}`,
    `${canary}\t`,
    "\u001b[31m",
    `a\u010a${canary}`,
  ]) {
    assert.equal(await follow(`file:${file("bad", content)}`), "reference_failed", JSON.stringify(content));
    assert.equal(await follow("env:KEY", { KEY: content }), "reference_failed", JSON.stringify(content));
  }
  const longest = "k".repeat(64 * 1024);
  assert.equal(await follow("env:KEY", { KEY: longest }), longest);
  assert.equal(await follow("env:KEY", { KEY: `${longest}k` }), "reference_failed");
});

test("several lines are a credential where they are PEM, and where PEM is expected", async () => {
  const pem = `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}\n-----END PRIVATE KEY-----\n`;
  const path = file("pem", pem);
  const references = new References({
    environment: {},
    config: () => assert.fail("no store is asked"),
    unseal: () => assert.fail("nothing is sealed here"),
  });
  const found = await references.follow(`file:${path}`, true);
  assert.ok(!(found instanceof Failure) && found.reveal() === pem);
  assert.ok((await references.follow(`file:${path}`)) instanceof Failure);
  const other = await references.follow(`file:${file("no-pem", `${pem}x: ${canary}\r\n`)}`, true);
  assert.ok(other instanceof Failure && !JSON.stringify(other).includes("CANARY"));
});

test("cmd: what the command prints; no shell reads it", async () => {
  const print = program("print", `echo "${canary}"`);
  assert.equal(await follow(`cmd:${print}`), canary);
  const words = program("words", 'printf "%s|" "$@"');
  assert.equal(await follow(`cmd:${words} a  b op://v/i`), "a|b|op://v/i|");
  assert.equal(await follow(`cmd:${words} $HOME ; echo * \`id\` "x`), '$HOME|;|echo|*|`id`|"x|');
});

test("a command that fails, prints nothing or is not there gives no credential and no output", async () => {
  assert.equal(
    await follow(`cmd:${program("fails", `echo ${canary}; echo ${canary} >&2; exit 3`)}`),
    "reference_failed",
  );
  assert.equal(await follow(`cmd:${program("silent", `echo ${canary} >&2`)}`), "reference_failed");
  assert.equal(await follow(`cmd:${join(root, "none")}`), "reference_failed");
  assert.equal(
    await follow(`cmd:${program("endless", `while :; do echo ${canary}${"x".repeat(500)}; done`)}`),
    "reference_failed",
  );
});
