// Nothing that a command started is left: after its end, at the deadline, at a cut, and after janee itself.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/engine/failure.ts";
import { Lifeline } from "../../src/engine/ports.ts";
import { Secret } from "../../src/engine/secret.ts";
import { References } from "../../src/host/reference.ts";
import { pause, until, within } from "../support/wait.ts";
import { runtimeCommand, start } from "./children.ts";
import { alive, codeOf, ended, oddSeconds, onStage } from "./spawning.ts";

const limit = { timeout: 60_000 };
const linux = process.platform === "linux";
const revoked = new Failure("session_revoked", "the session was revoked");
const promptly = 5_000;

/** A child that will not end, with children that hide in every way that needs no rights. */
function stubborn(seconds: string): string[] {
  const script = `
    trap '' TERM HUP INT
    sleep ${seconds} &
    setsid sleep ${seconds} &
    (setsid sh -c 'trap "" TERM; sleep ${seconds} & sleep ${seconds}' &)
    (setsid env -i sh -c '(setsid sleep ${seconds} &) ; exec env -i sleep ${seconds}' &)
    (sleep ${seconds} >/dev/null 2>&1 </dev/null &)
    echo started
    while :; do sleep ${seconds}; done`;
  return ["sh", "-c", script];
}

const hidden = 7;

async function allHide(seconds: string): Promise<void> {
  await until(10_000, "all descendants", () => alive(seconds).length >= hidden);
}

test("a grandchild that holds stdout does not hold the reply, and is ended", limit, () =>
  onStage(async ({ run }) => {
    const seconds = oddSeconds();
    const ran = await within(promptly, run(["sh", "-c", `sleep ${seconds} & echo hi`]), "the reply");
    assert.equal(ran.out, "hi\n");
    assert.equal(ended(ran.end).exitCode, 0);
    assert.deepEqual(alive(seconds), []);
  }),
);

test(
  "at the deadline everything ends, also what left the session, lost its parents and its environment",
  limit,
  () =>
    onStage(async ({ run }) => {
      if (!linux) return;
      const seconds = oddSeconds();
      const running = run(stubborn(seconds), { timeoutMs: 1_000 });
      await allHide(seconds);
      const end = ended((await within(promptly, running, "the reply")).end);
      assert.deepEqual([end.exitCode, end.signal, end.timedOut], [null, "SIGKILL", true]);
      assert.ok(end.durationMs >= 990, "not before the deadline");
      assert.deepEqual(alive(seconds), []);
    }),
);

test("twenty cuts leave nothing, and the reply is why it was cut", { timeout: 120_000 }, () =>
  onStage(async ({ run, home }) => {
    if (!linux) return;
    for (let round = 0; round < 20; round++) {
      const seconds = oddSeconds();
      const lifeline = new Lifeline();
      const running = run(stubborn(seconds), {}, lifeline);
      await allHide(seconds);
      lifeline.cut(revoked);
      assert.equal((await within(promptly, running, "the reply")).end, revoked);
      assert.deepEqual(alive(seconds), [], `round ${round}`);
    }
    assert.deepEqual(readdirSync(join(home, "run")), []);
  }),
);

test("what was cut before it started does not start", limit, () =>
  onStage(async ({ run, folder }) => {
    const lifeline = new Lifeline();
    lifeline.cut(revoked);
    const mark = join(folder, "mark");
    assert.equal((await run(["touch", mark], {}, lifeline)).end, revoked);
    assert.equal(existsSync(mark), false);
    assert.equal(ended((await run(["touch", mark])).end).exitCode, 0);
    assert.equal(existsSync(mark), true);
  }),
);

test("what the last look refuses does not start", limit, () =>
  onStage(async ({ run, folder }) => {
    const mark = join(folder, "mark");
    assert.equal((await run(["touch", mark], { lastLook: () => revoked })).end, revoked);
    assert.equal(existsSync(mark), false);
  }),
);

test("one run's end does not touch another's, nor children that are no run's", limit, () =>
  onStage(async ({ run }) => {
    const [first, second, third] = [oddSeconds(), oddSeconds(), oddSeconds()];
    const foreign = start(["setsid", "sh", "-c", `(setsid sleep ${third} >/dev/null 2>&1 &)`]);
    assert.equal((await foreign.ended).code, 0);
    // The kernel counts starts in hundredths of a second: what began in the very one of a run could be its own.
    await pause(50);
    const lifeline = new Lifeline();
    const other = new Lifeline();
    const staying = run(stubborn(second), {}, other);
    const going = run(stubborn(first), {}, lifeline);
    await allHide(first);
    await allHide(second);
    const before = alive(second).length;
    lifeline.cut(revoked);
    assert.equal(codeOf((await going).end), "session_revoked");
    assert.deepEqual(alive(first), []);
    assert.equal(alive(second).length, before);
    other.cut(revoked);
    await staying;
    assert.deepEqual(alive(second), []);
    const [daemon] = alive(third);
    assert.ok(daemon, "a daemon of someone else's child lives on");
    process.kill(daemon, "SIGKILL");
  }),
);

/** Puts off both marks, the session and the parents. */
const inHiding = (seconds: string): string =>
  `(env -i setsid prlimit --rttime=unlimited:unlimited env sh -c 'trap "" TERM; (sleep ${seconds} &); sleep ${seconds}' >/dev/null 2>&1 &)`;

/** With the mark of a run that is over. */
const asOver = (seconds: string): string =>
  `own=$(prlimit --rttime --output SOFT --noheadings); (env -i setsid prlimit --rttime=$((own-1)):unlimited sleep ${seconds} >/dev/null 2>&1 &)`;

test("what hides on purpose is ended as well, and what another run or no run started is not", limit, () =>
  onStage(async ({ run }) => {
    if (!linux || !existsSync("/usr/bin/prlimit")) return;
    const [first, second, third, fourth] = [oddSeconds(), oddSeconds(), oddSeconds(), oddSeconds()];
    const living = (): number[] => [first, second, third].map((seconds) => alive(seconds).length);
    const foreign = start(["setsid", "sh", "-c", `(setsid sleep ${fourth} >/dev/null 2>&1 &)`]);
    assert.equal((await foreign.ended).code, 0);
    await pause(50);
    const alone = await run(["sh", "-c", `${inHiding(first)}; ${asOver(first)}; sleep 0.3; echo done`]);
    assert.equal(alone.out, "done\n");
    assert.deepEqual(alive(first), []);

    const [one, other] = [new Lifeline(), new Lifeline()];
    const going = run(["sh", "-c", `${inHiding(first)}; exec sleep ${third}`], {}, one);
    const staying = run(
      ["sh", "-c", `(setsid sleep ${second} &); ${inHiding(second)}; sleep ${second}`],
      {},
      other,
    );
    await until(10_000, "all that hide", () => String(living()) === "2,4,1");
    one.cut(revoked);
    assert.equal((await within(promptly, going, "the reply")).end, revoked);
    // Whose they are, of two runs that were under way, nobody can say: nothing of the other one is touched.
    assert.deepEqual(living().slice(1), [4, 0]);
    other.cut(revoked);
    assert.equal((await within(promptly, staying, "the reply")).end, revoked);
    assert.deepEqual(living(), [0, 0, 0]);
    const [daemon] = alive(fourth);
    assert.ok(daemon, "a daemon of someone else's child lives on");
    process.kill(daemon, "SIGKILL");
  }),
);

test("what is asked for a credential, and what it leaves behind, is no part of a command", limit, () =>
  onStage(async ({ run, folder }) => {
    if (!linux) return;
    const [first, second] = [oddSeconds(), oddSeconds()];
    const teller = join(folder, "teller");
    const script = `#!/bin/sh\n(setsid sleep ${second} >/dev/null 2>&1 &)\nsleep 0.7\necho sk_canary_told\n`;
    writeFileSync(teller, script, { mode: 0o700 });
    const lifeline = new Lifeline();
    const going = run(["sleep", first], {}, lifeline);
    await until(10_000, "the command", () => alive(first).length === 1);
    const references = new References({
      environment: {},
      config: () => assert.fail("no store is asked"),
      unseal: () => assert.fail("nothing is sealed here"),
    });
    const telling = references.follow(`cmd:${teller}`);
    await until(10_000, "its daemon", () => alive(second).length === 1);
    lifeline.cut(revoked);
    assert.equal((await within(promptly, going, "the reply")).end, revoked);
    const told = await telling;
    assert.equal(told instanceof Secret && told.reveal(), "sk_canary_told");
    assert.deepEqual(alive(first), []);
    const [daemon] = alive(second);
    assert.ok(daemon, "it lives on");
    process.kill(daemon, "SIGKILL");
  }),
);

test("a child that obeys TERM has time to tidy up", limit, () =>
  onStage(async ({ run, folder }) => {
    const tidied = join(folder, "tidied");
    const script = `trap 'echo bye; touch ${tidied}; exit 3' TERM; sleep 100 & wait`;
    const { end, out } = await run(["sh", "-c", script], { timeoutMs: 300 });
    assert.equal(ended(end).timedOut, true);
    assert.equal(ended(end).exitCode, 3);
    assert.equal(out, "bye\n");
    assert.equal(existsSync(tidied), true);
  }),
);

test("two hundred processes that beget themselves anew are ended", limit, () =>
  onStage(async ({ run }) => {
    if (!linux) return;
    const seconds = oddSeconds();
    const many = `i=0; while [ $i -lt 200 ]; do (setsid sleep ${seconds} &); i=$((i+1)); done; wait; sleep ${seconds}`;
    const { end } = await within(20_000, run(["sh", "-c", many], { timeoutMs: 2_000 }), "the reply");
    assert.equal(ended(end).timedOut, true);
    assert.deepEqual(alive(seconds), []);
    // Each one dies at once and leaves two that ignore TERM; bounded by the generations it may have.
    const word = `g${seconds}`;
    const bomb = `
      bomb() { trap '' TERM; [ $1 -gt 0 ] || exec sleep ${seconds}; sleep 0.02; bomb $(($1-1)) & bomb $(($1-1)) & }
      bomb 7; sleep ${seconds} # ${word}`;
    const lifeline = new Lifeline();
    const running = run(["sh", "-c", bomb], {}, lifeline);
    await until(10_000, "a generation", () => alive(seconds).length > 0);
    lifeline.cut(revoked);
    assert.equal((await within(20_000, running, "the reply")).end, revoked);
    assert.deepEqual(alive(seconds), []);
  }),
);

// Bounded by its generations: at most 2,047 processes, should nobody end it.
test("a command that multiplies is ended before it has filled the machine", limit, () =>
  onStage(async ({ run }) => {
    if (!linux) return;
    const seconds = oddSeconds();
    const bomb = `
      bomb() { [ $1 -gt 0 ] || exec sleep ${seconds}; bomb $(($1-1)) & bomb $(($1-1)) & wait; }
      bomb 10 # ${seconds}`;
    const { end } = await within(20_000, run(["sh", "-c", bomb]), "the reply");
    assert.equal(codeOf(end), "spawn_failed");
    assert.deepEqual(alive(seconds), []);
    // The twin: many, but not too many, one after the other.
    const many = "i=0; while [ $i -lt 600 ]; do true & wait; i=$((i+1)); done; echo done";
    assert.equal((await run(["sh", "-c", many])).out, "done\n");
  }),
);

/** Children of this process that have ended and that no one has asked about. */
function zombies(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [, state, parent] = /^.*\) (\S) (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "latin1")) ?? [];
      return state === "Z" && parent === String(process.pid);
    } catch {
      return false;
    }
  });
}

test("adopted orphans leave no zombies", limit, () =>
  onStage(async ({ run }) => {
    if (!linux) return;
    // Those of other tests' daemons, which are no run's, are waited for with more patience.
    const before = zombies();
    for (let round = 0; round < 5; round++)
      await run(["sh", "-c", "for i in 1 2 3; do (setsid sleep 0.01 &); done; sleep 0.05"]);
    await run(["true"]);
    assert.deepEqual(
      zombies().filter((pid) => !before.includes(pid)),
      [],
    );
  }),
);

const script = fileURLToPath(new URL("./spawning-child.ts", import.meta.url));

test("a janee that ends takes its commands with it", limit, () =>
  onStage(async ({ home }) => {
    if (!linux) return;
    const seconds = oddSeconds();
    const janee = start(runtimeCommand(script, "exit", home, ...stubborn(seconds)));
    assert.equal((await within(20_000, janee.ended, "its end")).code, 0);
    await until(promptly, "the end of all", () => alive(seconds).length === 0);
    assert.deepEqual(readdirSync(join(home, "run")), []);
  }),
);

test("what a killed janee left is swept by the next: folders, and commands that still run", limit, () =>
  onStage(async ({ home, run }) => {
    if (!linux) return;
    const seconds = oddSeconds();
    const janee = start(runtimeCommand(script, "hang", home, "sleep", seconds));
    await until(20_000, "the command", () => alive(seconds).length === 1);
    const [stale = ""] = readdirSync(join(home, "run"));
    writeFileSync(join(home, "run", stale, "left"), "x");
    // None of janee's names: left alone.
    mkdirSync(join(home, "run", "mine"));
    janee.child.kill("SIGKILL");
    await janee.ended.catch(() => undefined);
    await pause(50);
    const { out } = await run(["sh", "-c", 'basename "$HOME"']);
    assert.notEqual(out.trim(), stale);
    await until(promptly, "the end of the command", () => alive(seconds).length === 0);
    assert.deepEqual(readdirSync(join(home, "run")), ["mine"]);
  }),
);

test("a living janee's folders are not swept by another", limit, () =>
  onStage(async ({ home, run }) => {
    if (!linux) return;
    const seconds = oddSeconds();
    const janee = start(runtimeCommand(script, "hang", home, "sleep", seconds));
    await until(20_000, "the command", () => alive(seconds).length === 1);
    const before = readdirSync(join(home, "run"));
    await run(["true"]);
    assert.deepEqual(readdirSync(join(home, "run")), before);
    assert.equal(alive(seconds).length, 1);
    janee.child.kill("SIGKILL");
    await janee.ended.catch(() => undefined);
    for (const pid of alive(seconds)) process.kill(pid, "SIGKILL");
  }),
);
