// Which file a command stands for, and when it does not run. Each refusal beside what must pass.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commandDenied } from "../../src/engine/exec/denied.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { Program, Spawner } from "../../src/engine/ports.ts";
import { makeSpawner } from "../../src/host/spawner.ts";
import { inFolder } from "./children.ts";
import { codeOf } from "./spawning.ts";

const limit = { timeout: 30_000 };
const none = { outside: [] };

interface Place {
  readonly folder: string;
  readonly bin: string;
  readonly tool: string;
  /** With `bin` first in its PATH, or with another PATH. */
  spawner(path?: string): Spawner;
}

function withTool(work: (place: Place) => void | Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const bin = join(folder, "bin");
    const tool = join(bin, "eh-tool");
    mkdirSync(bin, { mode: 0o755 });
    putTool(tool);
    const spawner = (path = `${bin}:/usr/bin:/bin`) =>
      makeSpawner({ home: join(folder, "home"), environment: { PATH: path, HOME: folder } });
    await work({ folder, bin, tool, spawner });
  });
}

function putTool(path: string, word = "tool"): void {
  writeFileSync(path, `#!/bin/sh\necho ${word}\n`);
  chmodSync(path, 0o755);
}

function program(found: Program | Failure): Program {
  if (found instanceof Failure) assert.fail(`${found.code}: ${found.message}`);
  return found;
}

function refused(found: Program | Failure, word: RegExp): void {
  assert.equal(codeOf(found), "binary_untrusted");
  if (!(found instanceof Failure)) return;
  assert.match(found.message, word);
  assert.ok(found.next, "it says what to do");
}

test("a listed name is looked up in the PATH of janee, links resolved", limit, () =>
  withTool(({ bin, tool, folder, spawner }) => {
    assert.deepEqual(program(spawner().find("eh-tool", none)), { name: "eh-tool", path: tool });
    symlinkSync(tool, join(bin, "eh-link"));
    assert.equal(program(spawner().find("eh-link", none)).path, tool);
    assert.equal(program(spawner().find(tool, none)).path, tool);
    // Found with a PATH that does not say so: the fixed places come last.
    assert.match(program(spawner(folder).find("sh", none)).path, /^\/(usr\/)?bin\//);
  }),
);

test("no relative entry of PATH is looked at, and no relative path is a command", limit, () =>
  withTool(({ bin, spawner }) => {
    const before = process.cwd();
    process.chdir(bin);
    try {
      for (const path of ["", ".", ":", "./", ".:/usr/bin", "../bin", "::/usr/bin"])
        assert.equal(codeOf(spawner(path).find("eh-tool", none)), "command_denied", `PATH=${path}`);
      assert.equal(program(spawner(`.:${bin}`).find("eh-tool", none)).name, "eh-tool");
      for (const name of ["./eh-tool", "../bin/eh-tool", "", ".", "..", "eh-tool\0x"])
        assert.equal(codeOf(spawner().find(name, none)), "command_denied", JSON.stringify(name));
    } finally {
      process.chdir(before);
    }
  }),
);

test("what is not there is refused in the words of what is not allowed", limit, () =>
  withTool(({ spawner }) => {
    assert.deepEqual(spawner().find("eh-nothing", none), commandDenied());
    assert.deepEqual(spawner().find("/usr/bin/eh-nothing", none), commandDenied());
  }),
);

test("a file, or a folder above it, that others can write to is refused, with the remedy", limit, () =>
  withTool(({ folder, bin, tool, spawner }) => {
    for (const [path, mode, good] of [
      [tool, 0o775, 0o755],
      [tool, 0o757, 0o755],
      [bin, 0o775, 0o755],
      [bin, 0o777, 0o755],
      [folder, 0o770, 0o700],
    ] as const) {
      chmodSync(path, mode);
      const found = spawner().find("eh-tool", none);
      refused(found, /others can write/);
      assert.ok(found instanceof Failure && found.next === `chmod go-w ${path}`, "says which");
      refused(spawner().find(tool, none), /others can write/);
      chmodSync(path, good);
      program(spawner().find("eh-tool", none));
    }
  }),
);

test(
  "a folder of PATH that others can write to stands in no one's way while the command is not in it",
  limit,
  () =>
    withTool(({ folder, bin, spawner }) => {
      const wide = join(folder, "wide");
      mkdirSync(wide);
      chmodSync(wide, 0o777);
      program(spawner(`${wide}:${bin}`).find("eh-tool", none));
      putTool(join(wide, "eh-tool"));
      refused(spawner(`${wide}:${bin}`).find("eh-tool", none), /others can write to .*wide/);
      assert.deepEqual(spawner(wide).find("eh-nothing", none), commandDenied());
    }),
);

test("the folder of a link counts as much as that of the file", limit, () =>
  withTool(({ folder, tool, spawner }) => {
    const links = join(folder, "links");
    mkdirSync(links);
    symlinkSync(tool, join(links, "eh-linked"));
    chmodSync(links, 0o777);
    refused(spawner(links).find("eh-linked", none), /others can write to .*links/);
    chmodSync(links, 0o755);
    program(spawner(links).find("eh-linked", none));
    // A link to a folder on the way, too.
    const wide = join(folder, "wide");
    mkdirSync(wide);
    symlinkSync(links, join(wide, "way"));
    chmodSync(wide, 0o777);
    refused(spawner(join(wide, "way")).find("eh-linked", none), /others can write to .*wide/);
  }),
);

test("a sticky folder is fine above a file when it is root's", limit, () =>
  withTool(({ folder, bin, spawner }) => {
    if (process.getuid?.() !== 0) return;
    chmodSync(folder, 0o1777);
    program(spawner().find("eh-tool", none));
    chownSync(bin, 12345, 12345);
    refused(spawner().find("eh-tool", none), /another user \(uid 12345\)/);
  }),
);

test("a file or a link of another user is refused", limit, () =>
  withTool(({ tool, spawner }) => {
    if (process.getuid?.() !== 0) return;
    chownSync(tool, 12345, 0);
    refused(spawner().find("eh-tool", none), /another user/);
    chownSync(tool, 0, 12345);
    program(spawner().find("eh-tool", none));
  }),
);

test("only a regular file that may be executed is a program", limit, () =>
  withTool(({ folder, bin, tool, spawner }) => {
    chmodSync(tool, 0o644);
    refused(spawner().find("eh-tool", none), /may not be executed/);
    mkdirSync(join(bin, "eh-folder"));
    refused(spawner().find("eh-folder", none), /not a regular file/);
    // The next entry of PATH has it: as in a shell, the search goes on.
    const second = join(folder, "second");
    mkdirSync(second, { mode: 0o755 });
    putTool(join(second, "eh-tool"));
    assert.equal(program(spawner(`${bin}:${second}`).find("eh-tool", none)).path, join(second, "eh-tool"));
    // Past one that is not trusted it does not.
    chmodSync(tool, 0o777);
    refused(spawner(`${bin}:${second}`).find("eh-tool", none), /others can write/);
  }),
);

test("nothing inside the folders where the command may write is run", limit, () =>
  withTool(({ folder, bin, tool, spawner }) => {
    assert.equal(codeOf(spawner().find("eh-tool", { outside: [bin] })), "command_denied");
    assert.equal(codeOf(spawner().find("eh-tool", { outside: [folder] })), "command_denied");
    refused(spawner().find(tool, { outside: [folder] }), /may write/);
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere, { mode: 0o755 });
    symlinkSync(tool, join(elsewhere, "eh-tool"));
    refused(spawner(elsewhere).find("eh-tool", { outside: [bin] }), /may write/);
    const alias = join(folder, "alias");
    symlinkSync(bin, alias);
    assert.equal(codeOf(spawner().find("eh-tool", { outside: [alias] })), "command_denied");
    program(spawner().find("eh-tool", { outside: [elsewhere, `${bin}ary`] }));
  }),
);

test("a program that changed since it was first found is refused until janee starts again", limit, () =>
  withTool(async ({ bin, tool, spawner }) => {
    const same = spawner();
    program(same.find("eh-tool", none));
    program(same.find("eh-tool", none));
    putTool(tool, "more");
    refused(same.find("eh-tool", none), /not the file that was first found/);
    program(spawner().find("eh-tool", none));

    const replaced = spawner();
    program(replaced.find("eh-tool", none));
    const text = readFileSync(tool);
    writeFileSync(join(bin, "new"), text, { mode: 0o755 });
    renameSync(join(bin, "new"), tool);
    refused(replaced.find("eh-tool", none), /not the file/);
  }),
);

test("a pin is kept", limit, () =>
  withTool(({ tool, spawner }) => {
    const sha256 = createHash("sha256").update(readFileSync(tool)).digest("hex");
    program(spawner().find("eh-tool", { outside: [], sha256 }));
    program(spawner().find("eh-tool", { outside: [], sha256: sha256.toUpperCase() }));
    refused(spawner().find("eh-tool", { outside: [], sha256: sha256.replace(/^./, "g") }), /pinned sha256/);
  }),
);

test("a folder lies inside the working directory, whatever leads there", limit, () =>
  withTool(({ folder, spawner }) => {
    const work = join(folder, "work");
    mkdirSync(join(work, "inner"), { recursive: true });
    mkdirSync(join(folder, "workshop"));
    writeFileSync(join(work, "file"), "");
    symlinkSync(folder, join(work, "out"));
    symlinkSync(join(work, "inner"), join(work, "in"));
    symlinkSync(work, join(folder, "alias"));
    const at = spawner();
    assert.equal(at.folder(work, undefined), work);
    assert.equal(at.folder("~/work", undefined), work);
    assert.equal(at.folder("~", "work"), work);
    assert.equal(at.folder(join(folder, "alias"), "inner"), join(work, "inner"));
    for (const cwd of ["inner", "in", ".", "inner/..", join(work, "inner"), join(folder, "alias", "in")])
      assert.match(String(at.folder(work, cwd)), /work/, cwd);
    for (const cwd of ["..", "out", "out/workshop", "/", folder, `${work}shop`, "file", "nothing", "a\0b"])
      assert.equal(codeOf(at.folder(work, cwd)), "cwd_denied", cwd);
    for (const wrong of [join(folder, "nothing"), join(work, "file"), "work", ""])
      assert.equal(codeOf(at.folder(wrong, undefined)), "cwd_denied", wrong);
  }),
);
