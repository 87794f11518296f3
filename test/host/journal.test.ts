// The audit file: many append, anyone may rotate or remove it, and a line is never torn or lost in silence.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { JournalFile } from "../../src/host/journal.ts";
import { runtimeCommand, start } from "./children.ts";

const root = mkdtempSync(join(tmpdir(), "janee-journal-"));
const opened: JournalFile[] = [];
after(() => {
  for (const journal of opened) journal.close();
  rmSync(root, { recursive: true, force: true });
});

let count = 0;
function newPath(): string {
  count += 1;
  const folder = join(root, String(count));
  mkdirSync(folder);
  return join(folder, "audit.log");
}

function open(path: string, rotateAt?: number, sync = false): JournalFile {
  const journal = new JournalFile(path, {
    sync: () => sync,
    ...(rotateAt === undefined ? {} : { rotateAt }),
  });
  opened.push(journal);
  return journal;
}

function text(path: string): string {
  return readFileSync(path, "utf8");
}

test("lines are appended, and the file is private", () => {
  const path = newPath();
  const journal = open(path);
  assert.equal(journal.write("one\n"), undefined);
  assert.equal(journal.write("two\nthree\u00e9\n"), undefined);
  assert.equal(text(path), "one\ntwo\nthree\u00e9\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("what others wrote stays, and two writers take turns", () => {
  const path = newPath();
  writeFileSync(path, "old\n");
  const [one, two] = [open(path), open(path)];
  one.write("a\n");
  two.write("b\n");
  one.write("c\n");
  assert.equal(text(path), "old\na\nb\nc\n");
});

test("a torn line of a crash gets its newline, once, and a whole line gets none", () => {
  const path = newPath();
  writeFileSync(path, '{"torn":');
  const journal = open(path);
  journal.write("a\n");
  journal.write("b\n");
  assert.equal(text(path), '{"torn":\na\nb\n');
  const whole = newPath();
  writeFileSync(whole, "whole\n");
  open(whole).write("a\n");
  assert.equal(text(whole), "whole\na\n");
});

test("after another process has renamed or removed the file, the next line opens a new one", () => {
  const path = newPath();
  const journal = open(path);
  journal.write("a\n");
  renameSync(path, `${path}.1`);
  journal.write("b\n");
  assert.deepEqual([text(`${path}.1`), text(path)], ["a\n", "b\n"]);
  unlinkSync(path);
  journal.write("c\n");
  assert.equal(text(path), "c\n");
  renameSync(path, `${path}.2`);
  writeFileSync(path, "d\n");
  journal.write("e\n");
  assert.equal(text(path), "d\ne\n");
});

test("a directory in its place: nothing is sent; when it is gone, janee goes on by itself", () => {
  const path = newPath();
  const journal = open(path);
  journal.write("a\n");
  unlinkSync(path);
  mkdirSync(path);
  for (let tries = 0; tries < 3; tries++) {
    const failure = journal.write("b\n");
    assert.equal(failure?.code, "audit_unavailable");
    assert.ok(failure.next?.includes(path));
  }
  rmSync(path, { recursive: true });
  assert.equal(journal.write("c\n"), undefined);
  assert.equal(text(path), "c\n");
});

test("a folder that is gone: nothing is sent; when it is back, janee goes on by itself", () => {
  const path = newPath();
  const journal = open(path);
  journal.write("a\n");
  rmSync(join(path, ".."), { recursive: true });
  assert.equal(journal.write("b\n")?.code, "audit_unavailable");
  mkdirSync(join(path, ".."));
  assert.equal(journal.write("c\n"), undefined);
  assert.equal(text(path), "c\n");
});

test("a link in its place is not followed", () => {
  const path = newPath();
  const victim = `${path}.victim`;
  writeFileSync(victim, "precious\n");
  symlinkSync(victim, path);
  const journal = open(path);
  assert.equal(journal.write("a\n")?.code, "audit_unavailable");
  assert.equal(text(victim), "precious\n");
  unlinkSync(path);
  assert.equal(journal.write("a\n"), undefined);
  assert.equal(text(path), "a\n");
});

test("a pipe in its place takes no line, for it would keep none; a file in its place does", () => {
  const path = newPath();
  execFileSync("mkfifo", [path]);
  const journal = open(path);
  const failure = journal.write("a\n");
  assert.equal(failure?.code, "audit_unavailable");
  assert.match(failure?.message ?? "", /no regular file/u);
  unlinkSync(path);
  assert.equal(journal.write("b\n"), undefined);
  assert.equal(text(path), "b\n");
});

test("a link put in its place while it is open is not followed either", () => {
  const path = newPath();
  const journal = open(path);
  journal.write("a\n");
  renameSync(path, `${path}.1`);
  const victim = `${path}.victim`;
  writeFileSync(victim, "precious\n");
  symlinkSync(victim, path);
  assert.equal(journal.write("b\n")?.code, "audit_unavailable");
  assert.equal(text(victim), "precious\n");
});

test("with sync on, lines are written as well", () => {
  const path = newPath();
  const journal = open(path, undefined, true);
  assert.equal(journal.write("a\n"), undefined);
  assert.equal(journal.write("b\n"), undefined);
  assert.equal(text(path), "a\nb\n");
});

test("at its size the file is put aside under the next free number, and no line is lost", () => {
  const path = newPath();
  const journal = open(path, 10);
  for (let at = 0; at < 6; at++) assert.equal(journal.write(`line${at}\n`), undefined);
  assert.deepEqual(readdirSync(join(path, "..")).sort(), ["audit.log", "audit.log.1", "audit.log.2"]);
  assert.equal(
    text(`${path}.1`) + text(`${path}.2`) + text(path),
    "line0\nline1\nline2\nline3\nline4\nline5\n",
  );
  assert.equal(text(`${path}.1`), "line0\nline1\n");
  assert.equal(statSync(`${path}.1`).mode & 0o777, 0o600);
});

test("a number that is taken is not overwritten", () => {
  const path = newPath();
  writeFileSync(`${path}.1`, "kept\n");
  const journal = open(path, 4);
  journal.write("aaaa\n");
  journal.write("bbbb\n");
  assert.equal(text(`${path}.1`), "kept\n");
  assert.equal(text(`${path}.2`), "aaaa\n");
  assert.equal(text(path), "bbbb\n");
});

test("a file that was big when it was opened is put aside before the next line", () => {
  const path = newPath();
  writeFileSync(path, "old old old\n");
  const journal = open(path, 10);
  journal.write("a\n");
  journal.write("b\n");
  assert.equal(text(`${path}.1`), "old old old\na\n");
  assert.equal(text(path), "b\n");
});

test("of two writers that rotate, each line is in exactly one file", () => {
  const path = newPath();
  const writers = [open(path, 30), open(path, 30), open(path, 30)];
  const wanted: string[] = [];
  for (let at = 0; at < 90; at++) {
    const line = `line-${at}`;
    wanted.push(line);
    assert.equal(writers[at % 3]?.write(`${line}\n`), undefined);
  }
  const folder = join(path, "..");
  const found = readdirSync(folder).flatMap((name) => text(join(folder, name)).trim().split("\n"));
  assert.deepEqual(found.sort(), wanted.sort());
});

test("processes that write and rotate at once lose and tear no line", async () => {
  const path = newPath();
  const script = join(root, "writer.ts");
  const module = new URL("../../src/host/journal.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { JournalFile } from ${JSON.stringify(module)};
     const [path, name] = process.argv.slice(2);
     const journal = new JournalFile(path, { sync: () => false, rotateAt: 20_000 });
     for (let at = 0; at < 300; at++) {
       const failure = journal.write(JSON.stringify({ name, at, fill: "x".repeat(200) }) + "\\n");
       if (failure) throw new Error(failure.message);
     }`,
  );
  const ended = await Promise.all(
    ["a", "b", "c"].map((name) => start(runtimeCommand(script, path, name)).ended),
  );
  for (const { code, err } of ended) assert.equal(code, 0, err);
  const folder = join(path, "..");
  const seen = readdirSync(folder).flatMap((file) =>
    text(join(folder, file))
      .trim()
      .split("\n")
      .map((line) => {
        const { name, at } = JSON.parse(line) as { name: string; at: number };
        return `${name}${at}`;
      }),
  );
  assert.equal(seen.length, 900);
  assert.equal(new Set(seen).size, 900);
  assert.ok(readdirSync(folder).length > 3);
});

test("a file that may not be written: nothing is sent", () => {
  if (process.getuid?.() === 0) {
    // Root may write anything; what it cannot open is a device that is full.
    if (!existsSync("/dev/full")) return;
    assert.equal(open("/dev/full").write("a\n")?.code, "audit_unavailable");
    return;
  }
  const path = newPath();
  writeFileSync(path, "a\n");
  chmodSync(path, 0o400);
  const journal = open(path);
  assert.equal(journal.write("b\n")?.code, "audit_unavailable");
  chmodSync(path, 0o600);
  appendFileSync(path, "torn");
  assert.equal(journal.write("c\n"), undefined);
  assert.equal(text(path), "a\ntorn\nc\n");
});
