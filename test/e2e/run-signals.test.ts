// A command behind `janee run` ends, stops, goes on and reads as it would without it: signals from outside and from a
// terminal, its own status, its input. Each is compared with what the same command does without janee.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { canary, Home, installedCommand } from "../support/janee.ts";
import { pause, until, within } from "../support/wait.ts";

const limit = { timeout: 120_000 };
const linux = process.platform === "linux";
const hasTerminals = linux && spawnSync("script", ["--version"]).status === 0;

class Stage {
  readonly home = new Home();
  readonly work = join(this.home.beside, "work");

  static async open(): Promise<Stage> {
    const on = new Stage();
    await on.home.do(["init"]);
    on.home.writeConfig(`
services:
  a: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: "${canary}" } }
capabilities:
  a: { service: a, autoApprove: true }
`);
    await on.home.do(["list"]);
    mkdirSync(on.work);
    return on;
  }

  /** Words of a shell: the command in front of another one. */
  get front(): string {
    return `${installedCommand().join(" ")} run --`;
  }

  start(words: readonly string[], stdin: "ignore" | "pipe" = "ignore"): Started {
    const env = this.home.environment({ DENO_NO_UPDATE_CHECK: "1" });
    return new Started(
      spawn(words[0] ?? "", words.slice(1), { env, cwd: this.work, stdio: [stdin, "pipe", "pipe"] }),
    );
  }

  /** The same command behind janee and, after that, without it. */
  *both(...words: string[]): Generator<Started> {
    yield this.start([...installedCommand(), "run", "--", ...words]);
    yield this.start(words);
  }
}

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
}

class Started {
  readonly child: ChildProcess;
  out = "";
  err = "";
  readonly #ended: Promise<Ended>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on("data", (bytes: Buffer) => {
      this.out += bytes.toString("latin1");
    });
    child.stderr?.on("data", (bytes: Buffer) => {
      this.err += bytes.toString("latin1");
    });
    child.stdin?.on("error", () => {});
    this.#ended = new Promise((done) => {
      child.once("error", () => done({ status: null, signal: "not started" }));
      child.once("close", (status, signal) => done({ status, signal }));
    });
  }

  says(word: string | RegExp): Promise<unknown> {
    return until(20_000, `${word} of ${this.out}${this.err}`, () => this.out.search(word) >= 0);
  }

  send(signal: NodeJS.Signals): void {
    process.kill(this.child.pid ?? 0, signal);
  }

  ended(): Promise<Ended> {
    return within(30_000, this.#ended, `an end of ${this.out}${this.err}`);
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.home.dispose());

const loop = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; done";

test("what is sent to janee reaches its command, which says how both end", limit, async () => {
  const on = await stage();
  for (const name of ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"] as const) {
    const signal = `SIG${name}` as const;
    for (const caught of on.both(
      "sh",
      "-c",
      `trap 'echo got ${name}; exit 9' ${name}; echo ready; ${loop}`,
    )) {
      await caught.says("ready");
      caught.send(signal);
      assert.deepEqual(await caught.ended(), { status: 9, signal: null }, name);
      assert.equal(caught.out, `ready\ngot ${name}\n`, "once");
    }
    for (const ignored of on.both("sh", "-c", `trap '' ${name}; echo ready; sleep 0.5; exit 3`)) {
      await ignored.says("ready");
      ignored.send(signal);
      assert.deepEqual(await ignored.ended(), { status: 3, signal: null }, name);
    }
  }
});

test(
  "a command that a signal ends is told to a shell as 128 and its number, as without janee",
  limit,
  async () => {
    const on = await stage();
    for (const [name, number] of Object.entries({
      HUP: 1,
      INT: 2,
      QUIT: 3,
      ABRT: 6,
      KILL: 9,
      USR1: 10,
      SEGV: 11,
      PIPE: 13,
      TERM: 15,
    })) {
      const quietly = `ulimit -c 0; "$@"; echo "status $?"`;
      const end = ["sh", "-c", `kill -${name} $$; sleep 5`];
      const behind = on.start(["sh", "-c", quietly, "sh", ...installedCommand(), "run", "--", ...end]);
      const bare = on.start(["sh", "-c", quietly, "sh", ...end]);
      await behind.ended();
      await bare.ended();
      assert.equal(bare.out, `status ${128 + number}\n`, name);
      assert.equal(behind.out, bare.out, name);
    }
  },
);

test("statuses pass as they are; what cannot start is 126, what is not there 127", limit, async () => {
  const on = await stage();
  for (const status of [0, 1, 2, 4, 124, 125, 126, 127, 128, 130, 255]) {
    for (const one of on.both("sh", "-c", `exit ${status}`)) assert.equal((await one.ended()).status, status);
  }
  const file = (name: string, text: string, mode: number): void => {
    writeFileSync(join(on.work, name), text);
    chmodSync(join(on.work, name), mode);
  };
  file("plain", "echo never\n", 0o644);
  file("script", 'echo "script $1 $#"; exit 6\n', 0o755);
  file("orphan", "#!/no/such/interpreter\n", 0o755);
  const cases: readonly (readonly [command: string, status: number, said: RegExp])[] = [
    ["./plain", 126, /\.\/plain: it cannot be run \(EACCES\)/],
    [on.work, 126, /it cannot be run/],
    ["plain/x", 126, /it cannot be run \(ENOTDIR\)/],
    ["./orphan", 127, /it was not found/],
    ["./nothing", 127, /it was not found/],
    ["no-such-program-anywhere", 127, /it was not found/],
    ["", 127, /it was not found/],
  ];
  for (const [command, status, said] of cases) {
    const ran = on.start([...installedCommand(), "run", "--", command]);
    assert.equal((await ran.ended()).status, status, command);
    assert.match(ran.err, said);
  }
  // Without an interpreter it is the shell's, as for every other program that starts programs.
  for (const command of [["env"], [...installedCommand(), "run", "--"]]) {
    const ran = on.start([...command, "./script", "a b", "c"]);
    assert.deepEqual(await ran.ended(), { status: 6, signal: null }, ran.err);
    assert.equal(ran.out, "script a b 2\n");
  }
});

test("input comes through whole, to its end, and to nobody but the command", limit, async () => {
  const on = await stage();
  const bytes = Buffer.alloc(5_000_000, "0123456789abcdef\n");
  const digest = createHash("sha256").update(bytes).digest("hex");
  const read = on.start([...installedCommand(), "run", "--", "sha256sum"], "pipe");
  read.child.stdin?.end(bytes);
  assert.deepEqual(await read.ended(), { status: 0, signal: null }, read.err);
  assert.ok(read.out.startsWith(digest));
  const first = on.start([
    "sh",
    "-c",
    `printf 'one\\ntwo\\n' | { ${on.front} sh -c 'read x; echo "got $x"'; read y; echo "left $y"; }`,
  ]);
  assert.equal((await first.ended()).status, 0);
  assert.equal(first.out, "got one\nleft two\n", "what the command left is there for the next one");
  const deaf = on.start([...installedCommand(), "run", "--", "true"], "pipe");
  deaf.child.stdin?.end(bytes);
  assert.equal((await deaf.ended()).status, 0);
});

/** A shell on a terminal of its own, with jobs; what is typed is echoed. */
function terminal(on: Stage): Started {
  const shell = on.start(["script", "-qfec", "bash --norc --noprofile -i", "/dev/null"], "pipe");
  shell.child.stdin?.write("PS1=; stty -echo; unset HISTFILE; echo be''gun\n");
  return shell;
}

const type = ({ child }: Started, text: string): unknown => child.stdin?.write(text);

if (hasTerminals) {
  test(
    "on a terminal: Ctrl-C reaches the command once, Ctrl-\\ ends it, and a shell sees both",
    limit,
    async () => {
      const on = await stage();
      const shell = terminal(on);
      await shell.says("begun");
      const count = `trap 'n=$((n+1)); echo "int $n"' INT; trap 'echo; echo "counted $n"; exit 9' USR1; n=0; echo "rea""dy $$"; ${loop}`;
      type(shell, `${on.front} sh -c '${count.replaceAll("'", "'\\''")}'; echo "status $?"\n`);
      await shell.says(/ready \d+/);
      type(shell, "\x03");
      await pause(500);
      process.kill(Number(/ready (\d+)/.exec(shell.out)?.[1]), "SIGUSR1");
      await shell.says(/status \d/);
      assert.match(shell.out, /counted 1\r\nstatus 9/);

      for (const [key, status] of [
        ["\x03", 130],
        ["\x1c", 131],
      ] as const) {
        type(shell, `ulimit -c 0; ${on.front} sh -c 'echo "o""n ${status}"; exec sleep 30'\n`);
        await shell.says(`on ${status}`);
        type(shell, key);
        // A line of its own: a shell leaves the rest of the line on which Ctrl-C has ended a command.
        await pause(300);
        type(shell, 'echo "sta""tus $?"\n');
        await shell.says(`status ${status}`);
      }
      type(shell, "exit 7\n");
      assert.equal((await shell.ended()).status, 7);
    },
  );

  test(
    "on a terminal: Ctrl-Z stops it as a job, fg and bg go on with it, and it may read what is typed",
    limit,
    async () => {
      const on = await stage();
      const shell = terminal(on);
      await shell.says("begun");
      const script = 'test -t 0 && test -t 1 && echo "a term""inal"; read x; echo "got $x"; exit 5';
      type(shell, `${on.front} sh -c '${script}'; echo "sta""tus $?"\n`);
      await shell.says("a terminal");
      type(shell, "\x1a");
      await shell.says(/status 148/);
      type(shell, "jobs\n");
      await shell.says(/\[1\]\+ +Stopped/);
      type(shell, 'fg %1; echo "fore""ground $?"\n');
      await pause(300);
      type(shell, "hello there\n");
      await shell.says(/foreground \d/);
      assert.match(shell.out, /got hello there\r\nforeground 5/);

      type(
        shell,
        `${on.front} sh -c 'echo "be""gins"; for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done; echo "en""ds"; exit 4'\n`,
      );
      await shell.says("begins");
      type(shell, "\x1a");
      await shell.says(/Stopped[\s\S]*Stopped/);
      assert.ok(!shell.out.includes("ends"), "it stands still");
      type(shell, 'bg %1; wait %1; echo "back""ground $?"\n');
      await shell.says(/background \d/);
      assert.match(shell.out, /ends[\s\S]*background 4/);
      type(shell, "exit 0\n");
      assert.equal((await shell.ended()).status, 0);
    },
  );
}
