// What a command gets and gives: its environment, descriptors, folder, input and output.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/engine/failure.ts";
import { JournalFile } from "../../src/host/journal.ts";
import { withLock } from "../../src/host/lock.ts";
import { guarantees } from "../../src/host/spawner.ts";
import { openStore } from "../../src/host/store-sqlite.ts";
import { runtimeCommand, start } from "./children.ts";
import { codeOf, ended, onStage } from "./spawning.ts";

const limit = { timeout: 60_000 };
const linux = process.platform === "linux";
const spawningChild = fileURLToPath(new URL("./spawning-child.ts", import.meta.url));

test("the environment is made from nothing, and nothing of janee's is in it", limit, async () => {
  const secrets = {
    ...{ JANEE_MASTER_KEY: "secret-1", OTHER_API_KEY: "secret-2", SSH_AUTH_SOCK: "secret-3" },
    ...{ BUN_OPTIONS: "secret-4", BUN_BE_BUN: "secret-5", LD_PRELOAD: "secret-6", JANEE_HOME: "secret-7" },
  };
  const environment = { ...process.env, ...secrets, LANG: "de_DE.UTF-8", TZ: "Europe/Berlin" };
  await onStage(async ({ run, home }) => {
    const { out } = await run(["env"], { environment: new Map([["TOOL_KEY", "value"]]) });
    const got = Object.fromEntries(
      out
        .trim()
        .split("\n")
        .map((line) => line.split(/=(.*)/s)),
    );
    assert.deepEqual(Object.keys(got).sort(), [
      ...["GIT_TERMINAL_PROMPT", "HOME", "JANEE_RUN", "LANG", "PATH", "TERM", "TMPDIR", "TOOL_KEY", "TZ"],
      ...["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"],
    ]);
    assert.ok(!out.includes("secret-"));
    assert.equal(got.TOOL_KEY, "value");
    assert.equal(got.TERM, "dumb");
    assert.equal(got.LANG, "de_DE.UTF-8");
    assert.equal(got.TZ, "Europe/Berlin");
    assert.ok(got.HOME.startsWith(join(home, "run")));
    for (const name of ["TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"]) assert.equal(got[name], got.HOME);
    assert.ok(got.PATH.split(":").every((entry: string) => entry.startsWith("/")));
  }, environment);
});

test("a child's PATH leaves out folders that others, or the child itself, could write to", limit, () =>
  onStage(async ({ folder }) => {
    const [wide, work, good] = ["wide", "work", "good"].map((name) => join(folder, name));
    for (const one of [wide, work, good]) mkdirSync(one ?? "", { mode: 0o755 });
    chmodSync(wide ?? "", 0o777);
    await onStage(
      async ({ spawner, run }) => {
        const program = spawner.find("env", { outside: [work ?? ""] });
        assert.ok(!(program instanceof Failure));
        const path = /^PATH=(.*)$/m.exec((await run(["env"], { program })).out)?.[1]?.split(":");
        assert.deepEqual(path?.slice(0, 1), [good]);
        assert.ok(!path?.includes(wide ?? "") && !path?.includes(work ?? ""));
      },
      { PATH: [wide, work, "", ".", good].join(":") },
    );
  }),
);

test("argv is passed as it is, without a shell", limit, () =>
  onStage(async ({ run }) => {
    const words = ["$(env);`id`", "a b", "", "*", '--flag="x"', "ü\n"];
    const { out } = await run(["printf", "[%s]", ...words]);
    assert.equal(Buffer.from(out, "latin1").toString(), words.map((word) => `[${word}]`).join(""));
  }),
);

test(
  "no descriptor of janee is inherited: not the store's, the journal's, the lock's or a socket's",
  limit,
  () =>
    onStage(async ({ folder, run }) => {
      if (!linux) return;
      const store = openStore(join(folder, "state.db"));
      const journal = new JournalFile(join(folder, "audit.log"), { sync: () => false });
      journal.write("{}\n");
      const listed = await withLock(join(folder, "lock.db"), () => run(["ls", "/proc/self/fd"]));
      journal.close();
      store.close();
      assert.ok(!(listed instanceof Failure));
      // Its own listing is the fourth.
      assert.deepEqual(listed.out.trim().split("\n"), ["0", "1", "2", "3"]);
    }),
);

test("what janee itself was started with goes no further either", limit, () =>
  onStage(async ({ folder }) => {
    if (!linux) return;
    const [file, ...args] = runtimeCommand(spawningChild, "descriptors", join(folder, "home"));
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit", "pipe", "pipe", "pipe", "pipe"] });
    let out = "";
    child.stdout?.on("data", (bytes) => {
      out += bytes;
    });
    await new Promise((done) => child.once("close", done));
    assert.deepEqual(out.trim().split("\n"), ["0", "1", "2", "3"]);
  }),
);

test("core dumps are off, there is no terminal, and the session is the child's own", limit, () =>
  onStage(async ({ run }) => {
    if (!linux) return;
    const { out } = await run([
      "sh",
      "-c",
      "ulimit -c; tty; cat /proc/$$/stat; echo $$; true </dev/tty || echo none",
    ]);
    const [core, tty, stat = "", pid, terminal] = out.trim().split("\n");
    assert.deepEqual([core, tty, terminal], ["0", "not a tty", "none"]);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    assert.deepEqual(fields.slice(2, 5), [pid, pid, "0"], "group, session, terminal");
    assert.ok((await guarantees()).some((line) => line.startsWith("Core dumps are off")));
  }),
);

test("the private folder is 0700, is where it runs by default, and is gone afterwards", limit, () =>
  onStage(async ({ run, home }) => {
    const { out } = await run(["sh", "-c", 'pwd; ls -ld "$HOME"; mkdir -p a/b; echo x >a/b/c; chmod 0 a']);
    const [cwd = "", listing] = out.split("\n");
    assert.ok(cwd.startsWith(join(realpathSync(home), "run")));
    assert.match(listing ?? "", /^drwx------/);
    assert.deepEqual(readdirSync(join(home, "run")), []);
  }),
);

test("it runs in the folder it is given; one that was swapped for a link is refused", limit, () =>
  onStage(async ({ folder, spawner, run }) => {
    const work = join(folder, "work");
    mkdirSync(join(work, "in"), { recursive: true });
    const cwd = spawner.folder(work, "in");
    assert.ok(!(cwd instanceof Failure));
    assert.equal((await run(["pwd"], { cwd })).out.trim(), cwd);
    renameSync(join(work, "in"), join(work, "was"));
    symlinkSync(folder, join(work, "in"));
    assert.equal(codeOf((await run(["pwd"], { cwd })).end), "cwd_denied");
  }),
);

test("a program that changed after it was found does not start", limit, () =>
  onStage(async ({ folder, spawner, run }) => {
    const tool = join(folder, "tool");
    writeFileSync(tool, "#!/bin/sh\necho before\n", { mode: 0o755 });
    const program = spawner.find(tool, { outside: [] });
    assert.ok(!(program instanceof Failure));
    assert.equal((await run(["sh"], { program })).out, "before\n");
    writeFileSync(tool, "#!/bin/sh\necho after!\n", { mode: 0o755 });
    assert.equal(codeOf((await run(["sh"], { program })).end), "binary_untrusted");
    assert.equal(
      codeOf((await run(["sh"], { program: { name: "sh", path: "/bin/sh" } })).end),
      "binary_untrusted",
    );
  }),
);

test("what cannot start is a failure that shows no argument", limit, () =>
  onStage(async ({ folder, run }) => {
    const tool = join(folder, "tool");
    writeFileSync(tool, "#!/nowhere/interpreter\n", { mode: 0o755 });
    const { end } = await run([tool, "s3cret"]);
    assert.equal(codeOf(end), "spawn_failed");
    assert.ok(!JSON.stringify(end).includes("s3cret"));
    const long = await run(["true", "s3cret".repeat(40_000)]);
    assert.equal(codeOf(long.end), "spawn_failed");
    assert.ok(!JSON.stringify(long.end).includes("s3cret"));
  }),
);

test("exit codes and signals are told apart", limit, () =>
  onStage(async ({ run }) => {
    const seven = ended((await run(["sh", "-c", "echo out; echo err >&2; exit 7"])).end);
    assert.deepEqual([seven.exitCode, seven.signal, seven.timedOut], [7, null, false]);
    const killed = ended((await run(["sh", "-c", "kill -9 $$"])).end);
    assert.deepEqual([killed.exitCode, killed.signal, killed.timedOut], [null, "SIGKILL", false]);
  }),
);

test("five megabytes go in; a child that does not read them, or closes its input, is no error", limit, () =>
  onStage(async ({ run }) => {
    const stdin = Buffer.alloc(5_000_000, "x");
    assert.equal((await run(["wc", "-c"], { stdin })).out.trim(), "5000000");
    assert.equal(ended((await run(["true"], { stdin })).end).exitCode, 0);
    assert.equal((await run(["sh", "-c", "exec <&-; sleep 0.2; echo on"], { stdin })).out, "on\n");
    assert.equal(ended((await run(["head", "-c", "3"], { stdin })).end).exitCode, 0);
    assert.equal((await run(["cat"])).out, "", "without input it ends at once");
  }),
);

test("a command reads its own environment in /proc, and not that of the janee that started it", limit, () =>
  onStage(async ({ home }) => {
    if (!linux) return;
    // root may read everything, unless it has given up its powers.
    const humbled = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const before = process.getuid?.() === 0 ? humbled : [];
    const look =
      'tr "\\0" "\\n" < /proc/$$/environ | grep -c ^JANEE_RUN=; cat /proc/$PPID/environ /proc/$PPID/maps 2>/dev/null';
    const [file = "", ...words] = [
      ...before,
      ...runtimeCommand(spawningChild, "run", home, "sh", "-c", look),
    ];
    const { out } = await start([file, ...words]).ended;
    assert.equal(out, "1\n");
  }),
);

test("all that a child wrote before its end arrives, and a flood of stderr harms no one", limit, () =>
  onStage(async ({ run }) => {
    const flood = await run(["sh", "-c", "head -c 20000000 /dev/zero >&2; echo done"]);
    assert.equal(flood.err.length, 20_000_000);
    assert.equal(flood.out, "done\n");
    for (let round = 0; round < 20; round++)
      assert.equal((await run(["head", "-c", "60000", "/dev/zero"])).out.length, 60_000);
  }),
);

test("thirty at once, two megabytes each: none lost, none mixed", limit, () =>
  onStage(async ({ run }) => {
    const runs = Array.from({ length: 30 }, (_, index) => {
      const letter = String.fromCharCode(65 + index);
      const script = `head -c 2000000 /dev/zero | tr '\\0' '${letter === "\\" ? "z" : letter}'; echo end >&2`;
      return run(["sh", "-c", script]);
    });
    const seen = new Set<string>();
    for (const { end, out, err } of await Promise.all(runs)) {
      assert.equal(ended(end).exitCode, 0);
      assert.equal(out.length, 2_000_000);
      assert.equal(err, "end\n");
      const letters = new Set(out);
      assert.equal(letters.size, 1);
      seen.add([...letters].join());
    }
    assert.equal(seen.size, 30);
  }),
);
