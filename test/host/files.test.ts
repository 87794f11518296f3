import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { Failure } from "../../src/engine/failure.ts";
import { checkPrivate, ensureHome, readPrivate, writeAtomic } from "../../src/host/files.ts";
import { homeLock, withLock } from "../../src/host/lock.ts";
import { childCommand, inFolder, start } from "./children.ts";

const windows = process.platform === "win32";
const root = process.geteuid?.() === 0;

function refused(result: unknown, code = "bad_permissions"): Failure {
  assert.ok(result instanceof Failure, "it was taken");
  assert.equal(result.code, code, inspect(result));
  return result;
}

function passes(result: unknown): void {
  assert.equal(result, undefined, inspect(result));
}

function modeOf(path: string): number {
  return fs.statSync(path).mode & 0o777;
}

function leftovers(folder: string): string[] {
  return fs.readdirSync(folder).filter((name) => name.endsWith(".tmp"));
}

/** Runs the command that a failure names, as a person would paste it. */
function mend(failure: Failure): void {
  execFileSync("sh", ["-c", failure.next ?? "false"]);
}

test("a home is made for its owner alone, whatever the umask", () =>
  inFolder((folder) => {
    const before = process.umask(0);
    try {
      const home = join(folder, "a", "b");
      passes(ensureHome(home));
      passes(ensureHome(`${home}/`));
      if (!windows) assert.equal(modeOf(home), 0o700);
      passes(writeAtomic(join(home, "config.yaml"), "x"));
      if (!windows) assert.equal(modeOf(join(home, "config.yaml")), 0o600);
    } finally {
      process.umask(before);
    }
  }));

test("STORE-020 a folder or file that others can touch is refused, and the named command mends it", () =>
  inFolder((folder) => {
    if (windows) return assert.equal(checkPrivate(folder, "folder"), undefined);
    const home = join(folder, "with 'space");
    const file = join(home, "config.yaml");
    passes(ensureHome(home));
    passes(writeAtomic(file, "x"));
    for (const mode of [0o755, 0o750, 0o701, 0o770, 0o777, 0o720]) {
      fs.chmodSync(home, mode);
      const failure = refused(ensureHome(home));
      assert.ok(failure.next?.startsWith("chmod 700 "));
      mend(failure);
      passes(ensureHome(home));
    }
    for (const mode of [0o644, 0o640, 0o604, 0o660, 0o666, 0o610]) {
      fs.chmodSync(file, mode);
      refused(readPrivate(file));
      const failure = refused(checkPrivate(file, "file"));
      assert.ok(failure.next?.startsWith("chmod 600 "));
      mend(failure);
      assert.equal(String(readPrivate(file)), "x");
    }
    fs.chmodSync(file, 0o400);
    assert.equal(String(readPrivate(file)), "x");
  }));

test("STORE-022 what belongs to somebody else is refused", () =>
  inFolder((folder) => {
    if (windows) return assert.equal(checkPrivate(folder, "folder"), undefined);
    const file = join(folder, "config.yaml");
    fs.writeFileSync(file, "x", { mode: 0o600 });
    passes(checkPrivate(file, "file"));
    if (root) {
      fs.chownSync(file, 1001, 1001);
      refused(readPrivate(file));
      const failure = refused(checkPrivate(file, "file"));
      assert.equal(failure.next, `sudo chown 0 ${file}`);
      fs.chownSync(file, 0, 0);
      passes(checkPrivate(file, "file"));
      fs.chownSync(folder, 1001, 1001);
      refused(ensureHome(folder));
      fs.chownSync(folder, 0, 0);
      passes(ensureHome(folder));
    } else {
      // Some folder of the system's, which is never this user's.
      assert.match(refused(checkPrivate("/etc", "folder")).message, /another user/);
      assert.match(refused(checkPrivate("/etc/passwd", "file")).message, /another user/);
    }
  }));

test("a link in place of the home or of a file is refused, and the named command mends it", () =>
  inFolder((folder) => {
    const home = join(folder, "home");
    const real = join(folder, "real");
    passes(ensureHome(real));
    passes(writeAtomic(join(real, "config.yaml"), "x"));
    fs.symlinkSync(real, home);
    refused(ensureHome(home));
    refused(ensureHome(`${home}/`));
    refused(checkPrivate(`${home}/.`, "folder"));
    if (!windows) {
      mend(refused(checkPrivate(home, "folder")));
      passes(ensureHome(home));
      assert.equal(String(readPrivate(join(home, "config.yaml"))), "x");
    }

    const elsewhere = join(folder, "dotfiles.yaml");
    passes(ensureHome(home));
    fs.writeFileSync(elsewhere, "victim", { mode: 0o600 });
    const config = join(home, "config.yaml");
    fs.rmSync(config, { force: true });
    fs.symlinkSync(elsewhere, config);
    refused(readPrivate(config));
    refused(writeAtomic(config, "new"));
    assert.equal(fs.readFileSync(elsewhere, "utf8"), "victim");
    assert.ok(fs.lstatSync(config).isSymbolicLink());
    if (!windows) {
      mend(refused(checkPrivate(config, "file")));
      assert.equal(String(readPrivate(config)), "victim");
      passes(writeAtomic(config, "new"));
    }

    const dangling = join(home, "dangling");
    fs.symlinkSync(join(folder, "nowhere"), dangling);
    refused(readPrivate(dangling));
    refused(writeAtomic(dangling, "new"));
    refused(ensureHome(dangling));
    assert.ok(!fs.existsSync(join(folder, "nowhere")));
  }));

test("a folder, a FIFO or a huge file in place of a file is refused, without a wait", () =>
  inFolder((folder) => {
    const path = join(folder, "config.yaml");
    fs.mkdirSync(path);
    refused(checkPrivate(path, "file"));
    refused(writeAtomic(path, "x"));
    fs.rmdirSync(path);
    if (!windows) {
      execFileSync("mkfifo", ["-m", "600", path]);
      refused(readPrivate(path));
      refused(writeAtomic(path, "x"));
      fs.unlinkSync(path);
    }
    fs.writeFileSync(path, "x".repeat(101), { mode: 0o600 });
    refused(readPrivate(path, 100), "store_refused");
    assert.equal((readPrivate(path, 101) as Buffer).length, 101);
    fs.writeFileSync(join(folder, "file"), "x", { mode: 0o600 });
    refused(ensureHome(join(folder, "file")));
  }));

test("what is not there is told apart from what is refused", () =>
  inFolder((folder) => {
    assert.equal(readPrivate(join(folder, "none")), undefined);
    refused(checkPrivate(join(folder, "none"), "file"), "not_found");
    refused(writeAtomic(join(folder, "none", "x"), "x"), "store_refused");
  }));

test("text and bytes are written whole, empty ones too", () =>
  inFolder((folder) => {
    const path = join(folder, "x");
    for (const content of ["Ünïcode ✓", "", new Uint8Array([0, 255, 10]), "x".repeat(3_000_000)]) {
      passes(writeAtomic(path, content));
      assert.ok(Buffer.from(content as string).equals(readPrivate(path) as Buffer));
    }
    assert.deepEqual(leftovers(folder), []);
  }));

test("STORE-025 a link planted under the temporary name is not followed", () =>
  inFolder((folder) => {
    const path = join(folder, "config.yaml");
    const victim = join(folder, "victim");
    fs.writeFileSync(victim, "victim");
    passes(writeAtomic(path, "old"));
    const token = "0123456789abcdef";
    const planted = join(folder, `.config.yaml.${process.pid}.${token}.tmp`);
    fs.symlinkSync(victim, planted);
    refused(writeAtomic(path, "new", { token: () => token }), "store_refused");
    assert.equal(fs.readFileSync(victim, "utf8"), "victim");
    assert.equal(fs.readFileSync(path, "utf8"), "old");
    assert.ok(fs.lstatSync(planted).isSymbolicLink());
    // A real name cannot be guessed.
    passes(writeAtomic(path, "new"));
    assert.equal(fs.readFileSync(path, "utf8"), "new");
    assert.equal(fs.readFileSync(victim, "utf8"), "victim");
  }));

test("what a killed writer left is cleared away; everything else stays", () =>
  inFolder(async (folder) => {
    const gone = start(["sh", "-c", "exit 0"]);
    await gone.ended;
    const pid = gone.child.pid;
    const old = new Date(Date.now() - 3_600_000);
    const place = (name: string, aged: boolean) => {
      const path = join(folder, name);
      fs.writeFileSync(path, "x");
      if (aged) fs.utimesSync(path, old, old);
      return path;
    };
    const stale = place(`.config.yaml.${pid}.0123456789abcdef.tmp`, true);
    const kept = [
      place(`.config.yaml.${pid}.0123456789abcde0.tmp`, false),
      place(`.config.yaml.${process.ppid}.0123456789abcdef.tmp`, true),
      place(`config.yaml.${pid}.0123456789abcdef.tmp`, true),
      place(`.config.yaml.${pid}.0123.tmp`, true),
      place("notes.tmp", true),
    ];
    passes(writeAtomic(join(folder, "config.yaml"), "new"));
    assert.ok(!fs.existsSync(stale));
    for (const path of kept) assert.ok(fs.existsSync(path), path);
  }));

async function childFailure(
  command: [string, ...string[]],
): Promise<{ code: string; message: string; next?: string }> {
  const ended = await start(command).ended;
  assert.equal(ended.code, 0, ended.err);
  const failure = JSON.parse(ended.out);
  assert.ok(failure !== null, "it was written");
  return failure;
}

test("STORE-029 a full disk, a limit or a read-only one leaves the old file", { timeout: 60_000 }, () =>
  inFolder(async (folder) => {
    if (windows) return assert.equal(checkPrivate(folder, "folder"), undefined);
    const path = join(folder, "config.yaml");
    const intact = (where = path) => {
      assert.equal(fs.readFileSync(where, "utf8"), "old");
      assert.deepEqual(leftovers(join(where, "..")), []);
    };

    passes(writeAtomic(path, "old"));
    // 64 blocks of 512 bytes. SIGXFSZ would kill the writer; a shell can have it ignored.
    const limited = (words: number) =>
      childCommand("write", folder, String(words))
        .map((word) => `'${word}'`)
        .join(" ");
    const under = (limit: string, command: string): [string, ...string[]] => [
      "sh",
      "-c",
      `trap '' XFSZ; ulimit ${limit}; exec ${command}`,
    ];
    const failure = await childFailure(under("-f 64", limited(100_000)));
    assert.equal(failure.code, "store_refused");
    assert.match(failure.message, /EFBIG/);
    intact();

    const descriptors = childCommand("write without descriptors", folder)
      .map((word) => `'${word}'`)
      .join(" ");
    assert.match((await childFailure(under("-n 256", descriptors))).message, /EMFILE|ENFILE/);
    intact();

    const disk = join(folder, "disk");
    fs.mkdirSync(disk, { mode: 0o700 });
    if (root && mounted(disk, "size=64k,mode=700")) {
      try {
        const there = join(disk, "config.yaml");
        passes(writeAtomic(there, "old"));
        const full = refused(writeAtomic(there, "new ".repeat(100_000)), "store_refused");
        assert.match(full.message, /ENOSPC/);
        assert.match(full.next ?? "", /free some space/);
        intact(there);
        passes(writeAtomic(there, "new"));
        passes(writeAtomic(there, "old"));
        assert.ok(mounted(disk, "remount,ro"));
        assert.match(refused(writeAtomic(there, "new"), "store_refused").message, /EROFS/);
        intact(there);
        refused(await withLock(homeLock(disk), () => "inside"), "store_refused");
      } finally {
        execFileSync("umount", [disk]);
      }
    }
    passes(writeAtomic(path, "new"));
  }),
);

function mounted(place: string, options: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", place], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("STORE-030 eight processes that add under the lock lose nothing", { timeout: 120_000 }, () =>
  inFolder(async (folder) => {
    const all = Array.from({ length: 8 }, () => start(childCommand("add", folder, "25")).ended);
    for (const ended of await Promise.all(all)) assert.equal(ended.code, 0, ended.err);
    assert.equal(count(folder), 200);
    assert.deepEqual(leftovers(folder), []);
  }),
);

function count(folder: string): number {
  const lines = fs.readFileSync(join(folder, "counter"), "utf8").trim().split("\n");
  assert.equal(lines.length, 2_000);
  assert.equal(new Set(lines).size, 1);
  return Number(lines[0]);
}

test(
  "twenty times kill -9 in the midst of writing: the old file or the new, and no lock left behind",
  { timeout: 180_000 },
  () =>
    inFolder(async (folder) => {
      passes(writeAtomic(join(folder, "counter"), "0\n".repeat(2_000)));
      let last = 0;
      for (let round = 0; round < 20; round++) {
        const { child, ended } = start(childCommand("add", folder, "100000"));
        while (count(folder) === last && child.exitCode === null)
          await new Promise((resolve) => setTimeout(resolve, 2));
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        child.kill("SIGKILL");
        await ended;
        const now = count(folder);
        assert.ok(now > last);
        last = now;
        assert.equal(await withLock(homeLock(folder), () => "inside", 1_000), "inside");
      }
    }),
);

test(
  "the lock excludes, waits, gives up with the holder's number, and is free once the holder was killed",
  { timeout: 60_000 },
  () =>
    inFolder(async (folder) => {
      const lock = homeLock(folder);
      const { child, ended } = start(childCommand("hold", folder));
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      let entered = false;
      const failure = refused(
        await withLock(
          lock,
          () => {
            entered = true;
          },
          100,
        ),
        "too_busy",
      );
      assert.ok(!entered);
      assert.ok(failure.message.includes(`process ${child.pid} `), failure.message);
      const waiting = withLock(lock, () => "inside");
      child.kill("SIGKILL");
      await ended;
      assert.equal(await waiting, "inside");
    }),
);

test("in one process the lock excludes too, but not its own holder", { timeout: 60_000 }, () =>
  inFolder(async (folder) => {
    const lock = homeLock(folder);
    let inside = 0;
    let most = 0;
    const turn = async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 1));
      inside--;
      return "done";
    };
    const all = await Promise.all(
      Array.from({ length: 10 }, () => withLock(lock, () => withLock(lock, turn))),
    );
    assert.deepEqual(new Set(all), new Set(["done"]));
    assert.equal(most, 1);

    // What is still running when the holder has left holds nothing any more.
    const held = Promise.withResolvers<void>();
    let later: Promise<unknown> | undefined;
    await withLock(lock, () => {
      later = held.promise.then(() => withLock(lock, () => "late", 50));
    });
    const { child, ended } = start(childCommand("hold", folder));
    child.stdout?.once("data", () => held.resolve());
    refused(await later, "too_busy");
    child.kill("SIGKILL");
    await ended;

    await assert.rejects(async () => {
      await withLock(lock, () => {
        throw new Error("a bug inside");
      });
    }, /a bug inside/);
    assert.equal(await withLock(lock, () => "free", 0), "free");
  }),
);

test("a lock file that is a link, open to others or no lock at all is refused", () =>
  inFolder(async (folder) => {
    const lock = homeLock(folder);
    const victim = join(folder, "victim");
    fs.writeFileSync(victim, "victim", { mode: 0o600 });
    fs.symlinkSync(victim, lock);
    refused(await withLock(lock, () => "inside"));
    fs.unlinkSync(lock);
    fs.writeFileSync(lock, "not a database, but long enough to look at".repeat(100), { mode: 0o600 });
    assert.match(refused(await withLock(lock, () => "inside"), "store_refused").next ?? "", /rm /);
    fs.unlinkSync(lock);
    assert.equal(await withLock(lock, () => "inside"), "inside");
    if (!windows) {
      assert.equal(modeOf(lock), 0o600);
      fs.chmodSync(lock, 0o666);
      refused(await withLock(lock, () => "inside"));
    }
    assert.equal(fs.readFileSync(victim, "utf8"), "victim");
    assert.equal(fs.statSync(lock).size, 0);
  }));
