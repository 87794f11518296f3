// References that a program follows: what it is told, what it runs with, and that one which misbehaves gives neither a
// credential nor a word of what it printed.
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { References } from "../../src/host/reference.ts";
import { canary, onDeno } from "../support/janee.ts";
import { ProgramFolder, storePrograms } from "../support/store-programs.ts";
import { isAlive, until } from "../support/wait.ts";

const limit = { timeout: 60_000, skip: process.platform === "win32" };
const root = mkdtempSync(join(tmpdir(), "janee-programs-"));
after(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function folder(): ProgramFolder {
  count += 1;
  const beside = join(root, `${count}`);
  mkdirSync(beside, { mode: 0o700 });
  return new ProgramFolder(beside);
}

function referencesOf(
  path: string,
  more: { readonly environment?: Record<string, string>; readonly patienceMs?: number } = {},
): References {
  return new References({
    environment: { PATH: `${path}:${process.env.PATH}`, HOME: root, ...more.environment },
    config: () => ({
      network: { proxy: undefined, noProxy: [], caFile: undefined },
      stores: { vault: undefined },
    }),
    unseal: () => assert.fail("nothing is sealed here"),
    patienceMs: more.patienceMs ?? 20_000,
  });
}

async function follow(references: References, reference: string): Promise<string> {
  const found = await references.follow(reference);
  if (!(found instanceof Failure)) return found.reveal();
  assert.equal(found.code, "reference_failed");
  assert.ok(!JSON.stringify(found).includes(canary), JSON.stringify(found));
  return found.message;
}

for (const one of storePrograms) {
  const { program, reference, prints } = one;

  test(`${reference}: ${program} gets these words, and what it prints is the credential`, limit, async () => {
    const programs = folder();
    programs.put(one);
    programs.print(program, prints(canary));
    assert.equal(await follow(referencesOf(programs.path), reference), canary);
    // Twins that differ in one word get nothing.
    programs.put({ program, words: [...one.words, "--debug"] });
    assert.match(await follow(referencesOf(programs.path), reference), /ended with exit status 64/);
  });

  test(
    `${reference}: a ${program} that misbehaves gives no credential and no word of its own`,
    limit,
    async () => {
      const programs = folder();
      const references = referencesOf(programs.path);
      const hostile: readonly (readonly [string, RegExp])[] = [
        [`echo ${canary}; echo ${canary} >&2; exit 1`, /ended with exit status 1/],
        [`echo ${canary} >&2`, /leads to nothing|no text/],
        ["exit 0", /leads to nothing|no text/],
        [`echo ${canary}; kill -9 $$`, /ended with a signal/],
        [`printf '${canary}\\n${canary}\\n'`, /control characters|no text/],
        [`printf '\\033]0;${canary}\\007'`, /control characters|no text/],
        [`head -c 1000000 /dev/zero | tr '\\0' k`, /printed more than 65536 bytes/],
        [`while :; do echo ${canary}; done`, /printed more than 65536 bytes/],
      ];
      for (const [body, expected] of hostile) {
        programs.script(program, body);
        assert.match(await follow(references, reference), expected, body);
      }
      programs.put(one);
      programs.print(program, prints(canary));
      assert.equal(await follow(references, reference), canary);
    },
  );
}

test("aws: a secret of bytes, another shape, a field that is not there or no text", limit, async () => {
  const programs = folder();
  const answers: readonly (readonly [string, string])[] = [
    ["aws-sm:a", '{"SecretBinary":"AAAA"}'],
    ["aws-sm:a", `"${canary}"`],
    ["aws-sm:a", `{"SecretString":{"key":"${canary}"}}`],
    ["aws-sm:a#none", JSON.stringify({ SecretString: JSON.stringify({ key: canary }) })],
    ["aws-sm:a#toString", JSON.stringify({ SecretString: JSON.stringify({ key: canary }) })],
    ["aws-sm:a#key", JSON.stringify({ SecretString: JSON.stringify({ key: { inner: canary } }) })],
    ["aws-sm:a#key", JSON.stringify({ SecretString: canary })],
  ];
  for (const [reference, text] of answers) {
    programs.script("aws", `cat <<'END'\n${text}\nEND`);
    assert.match(await follow(referencesOf(programs.path), reference), /AWS Secrets Manager has no/, text);
  }
});

test("a program that is not there is named, and nothing else", limit, async () => {
  const said = await follow(referencesOf(folder().path), "cmd:no-such-program-of-anyone --password x");
  assert.equal(said, "the program no-such-program-of-anyone is not there, along janee's PATH");
});

test("infisical ends well where it has no such secret: that is no credential", limit, async () => {
  const programs = folder();
  programs.script("infisical", "echo '*not found*'");
  assert.match(await follow(referencesOf(programs.path), "infisical:a/b/C"), /has no such secret/);
});

test("a program that hangs is ended with all that it started", limit, async () => {
  const programs = folder();
  const pids = join(root, "pids");
  programs.script("hangs", `sleep 300 & echo $! >> ${pids}; echo $$ >> ${pids}; echo ${canary}; sleep 300`);
  const references = referencesOf(programs.path, { patienceMs: 700 });
  assert.match(await follow(references, "cmd:hangs"), /did not end within 0.7 s/);
  const started = readFileSync(pids, "utf8").trim().split("\n").map(Number);
  assert.equal(started.length, 2);
  await until(10_000, "the end of what hung", () => started.every((pid) => !isAlive(pid)));
});

test(
  "a program that ends well while something it started keeps the pipe: what it printed counts",
  limit,
  async () => {
    const programs = folder();
    const pid = join(root, "left");
    programs.script("leaves", `sleep 300 & echo $! > ${pid}; echo ${canary}`);
    assert.equal(await follow(referencesOf(programs.path), "cmd:leaves"), canary);
    const left = Number(readFileSync(pid, "utf8"));
    await until(10_000, "the end of what was left", () => !isAlive(left));
  },
);

test("many who wait for one reference: one run", limit, async () => {
  const programs = folder();
  const [one] = storePrograms;
  assert.ok(one);
  programs.put(one);
  programs.print(one.program, canary);
  const references = referencesOf(programs.path);
  const all = await Promise.all(Array.from({ length: 200 }, () => follow(references, one.reference)));
  assert.deepEqual([...new Set(all)], [canary]);
  assert.equal(programs.started(one.program), 1);
  await follow(references, one.reference);
  assert.equal(programs.started(one.program), 2);
});

test(
  "what steers the runtime or opens the vault is not in a program's environment; the person's own is",
  limit,
  async () => {
    const programs = folder();
    programs.script("shows", "env | tr '\\n' '|'");
    const environment = {
      ...{ BUN_OPTIONS: "--preload /x", BUN_BE_BUN: "1", JANEE_KEY: "k", JANEE_UNATTENDED: "1" },
      OP_SESSION_x: "session",
    };
    const shown = await follow(referencesOf(programs.path, { environment }), "cmd:shows");
    for (const name of ["BUN_OPTIONS", "BUN_BE_BUN", "JANEE_KEY", "JANEE_UNATTENDED"]) {
      assert.ok(!shown.includes(`${name}=`), name);
    }
    assert.ok(shown.includes("OP_SESSION_x=session|"));
  },
);

test(
  "a program reads nothing, starts in the home, and sees no folder on its PATH that others can write to",
  limit,
  async () => {
    const programs = folder();
    const open = join(root, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    programs.script("reads", 'printf "%s|%s|%s" "$(cat)" "$(pwd -P)" "$PATH"');
    const environment = { PATH: `${open}:.:${programs.path}:${process.env.PATH}` };
    const shown = await follow(referencesOf(programs.path, { environment }), "cmd:reads");
    const [input, place, path = ""] = shown.split("|");
    assert.equal(input, "");
    assert.equal(place, root);
    assert.ok(
      path.split(":").includes(programs.path) && !path.includes(open) && !path.split(":").includes("."),
    );
  },
);

test("a program that others could have put there does not run", limit, async () => {
  const open = join(root, "world");
  mkdirSync(open);
  const ran = join(root, "ran");
  const body = `#!/bin/sh\ntouch ${ran}\necho ${canary}\n`;
  writeFileSync(join(open, "op"), body);
  chmodSync(join(open, "op"), 0o755);
  const reference = "op://a/b/c";
  const ask = (path: string): Promise<string> => follow(referencesOf(path), reference);
  chmodSync(open, 0o777);
  assert.match(await ask(open), /not trusted: others can write to .*world/);
  // Behind a link it lies where it lies.
  const linked = join(root, "linked");
  mkdirSync(linked, { mode: 0o700 });
  symlinkSync(join(open, "op"), join(linked, "op"));
  assert.match(await ask(linked), /not trusted/);
  chmodSync(open, 0o755);
  chmodSync(join(open, "op"), 0o777);
  assert.match(await ask(open), /not trusted: others can write to .*op/);
  assert.match(await follow(referencesOf(open), `cmd:${join(open, "op")}`), /not trusted/);
  assert.match(await follow(referencesOf(open), "cmd:./op"), /is not there/);
  assert.equal(existsSync(ran), false);
  chmodSync(join(open, "op"), 0o755);
  assert.equal(await ask(open), canary);
  assert.equal(await ask(linked), canary);
});

test("a program that is brought up to date while janee runs goes on", limit, async () => {
  const programs = folder();
  programs.script("op", `echo ${canary}-1`);
  const references = referencesOf(programs.path);
  assert.equal(await follow(references, "op://a/b/c"), `${canary}-1`);
  rmSync(join(programs.path, "op"));
  programs.script("op", `echo ${canary}-2`);
  assert.equal(await follow(references, "op://a/b/c"), `${canary}-2`);
});

test("keychain: without one there is a clear failure", limit, async () => {
  const references = referencesOf("/nonexistent", { patienceMs: 5_000 });
  const said = await follow(references, "keychain:janee-test-no-such/nobody");
  assert.match(said, onDeno ? /the janee binary has/ : /keychain (?:has no such entry|of the system)/);
});
