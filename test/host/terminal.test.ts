import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/engine/failure.ts";
import {
  askHidden,
  askLine,
  askYes,
  gathered,
  isInteractive,
  readStdinAll,
  TypedLine,
} from "../../src/host/terminal.ts";
import { runtimeCommand, start } from "./children.ts";

const asker = fileURLToPath(new URL("./asker.ts", import.meta.url));

function typed(...pieces: string[]): { state: string; text: string; rest: string } {
  const line = new TypedLine();
  let last: { state: string; rest: string } = { state: "open", rest: "" };
  for (const piece of pieces) last = line.type(piece);
  return { state: last.state, text: line.text, rest: last.rest };
}

test("a typed line ends at CR, LF or both, whatever pieces it comes in", () => {
  for (const pieces of [["abc\r"], ["abc\n"], ["abc\r\n"], ["a", "b", "c", "\r"], ["ab", "c\n"]])
    assert.deepEqual(typed(...pieces), { state: "done", text: "abc", rest: "" });
  assert.deepEqual(typed("one\ntwo\n"), { state: "done", text: "one", rest: "two\n" });
  assert.deepEqual(typed("abc"), { state: "open", text: "abc", rest: "" });
  assert.deepEqual(typed("\r"), { state: "done", text: "", rest: "" });
});

test("keys that edit, and keys that are no text", () => {
  assert.equal(typed("abx\x7fc\r").text, "abc");
  assert.equal(typed("abx\bc\r").text, "abc");
  assert.equal(typed("\x7f\x7fabc\r").text, "abc");
  assert.equal(typed("ab🙂\x7fc\r").text, "abc");
  assert.equal(typed("wrong\x15abc\r").text, "abc");
  assert.equal(typed("a\x1b[Db\x1b[1;5C\x1bOAc\r").text, "abc");
  assert.equal(typed("\x1b[200~abc\x1b[201~\r").text, "abc");
  assert.equal(typed("a\x00b\x01c\r").text, "abc");
  assert.equal(typed("p@ss wörd\t✓\r").text, "p@ss wörd\t✓");
});

test("Ctrl-C cancels at any time, Ctrl-D on an empty line", () => {
  assert.equal(typed("abc\x03").state, "cancelled");
  assert.equal(typed("\x04").state, "cancelled");
  assert.deepEqual(typed("abc\x04"), { state: "done", text: "abc", rest: "" });
});

async function* pieces(...all: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* all;
}

test("stdin is taken whole, without one newline at its end", async () => {
  for (const [given, taken] of [
    ["key\n", "key"],
    ["key\r\n", "key"],
    ["key", "key"],
    ["key\n\n", "key\n"],
    ["a\nb\n", "a\nb"],
    ["\n", ""],
    ["", ""],
    [" key \n", " key "],
    ["key\r", "key\r"],
  ] as const)
    assert.equal(await readStdinAll(100, pieces(given)), taken);
  const bytes = Buffer.from("Ü✓🙂");
  assert.equal(await readStdinAll(100, pieces(...[...bytes].map((byte) => new Uint8Array([byte])))), "Ü✓🙂");
});

test("too much on stdin, or no text, is a failure that does not repeat it", async () => {
  assert.equal(await readStdinAll(4, pieces("ab", "cd")), "abcd");
  const long = await readStdinAll(4, pieces("ab", "cd", "e"));
  assert.ok(long instanceof Failure && long.code === "usage");
  const binary = await readStdinAll(100, pieces(new Uint8Array([0x6b, 0xff, 0xfe])));
  assert.ok(binary instanceof Failure && binary.code === "usage");
});

test("without a terminal nothing is asked, nothing waited for, nothing printed", {
  timeout: 60_000,
}, async () => {
  const { code, out, err } = await start(runtimeCommand(asker)).ended;
  assert.equal(code, 0, err);
  assert.equal(out, '{"interactive":false,"secret":null,"line":null,"yes":false}\n');
  assert.equal(err, "");
  if (!isInteractive()) {
    assert.equal(await askHidden("? "), undefined);
    assert.equal(await askLine("? "), undefined);
    assert.equal(await askYes("?"), false);
  }
});

const script = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

/** Runs the asker on a terminal of its own; each answer is typed when its question stands there. */
function onTerminal(
  answers: readonly (readonly [question: string, typed: string])[],
  answered: (seen: string) => void = () => {},
): Promise<string> {
  const inner = `stty -a | grep -o -e "-\\?echo " ; ${runtimeCommand(asker).join(" ")}; echo "ended $?"; stty -a | grep -o -e "-\\?echo "`;
  return new Promise((resolve, reject) => {
    const child = spawn("script", ["-qfec", inner, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    let seen = "";
    let from = 0;
    const left = [...answers];
    child.stdout.on("data", (chunk) => {
      seen += chunk;
      const [next] = left;
      const at = next ? seen.indexOf(next[0], from) : -1;
      if (!next || at < 0) return;
      from = at + next[0].length;
      left.shift();
      child.stdin.write(next[1]);
      if (left.length === 0) answered(seen);
    });
    child.on("error", reject);
    child.on("close", () => resolve(seen));
  });
}

test("on a terminal a secret is read without echo, a line with it, and echo is on again afterwards", {
  timeout: 60_000,
}, async () => {
  // Without the tool that makes a terminal the rules for typed lines above have to do.
  if (!script) return assert.equal(typed("abc\r").text, "abc");
  const seen = await onTerminal([
    ["secret? ", "canax\x7fry\r"],
    ["line? ", "visible\r"],
    ["sure? [y/N] ", "y\r"],
  ]);
  assert.match(seen, /"secret":"canary","line":"visible","yes":true/);
  assert.equal(seen.match(/cana/g)?.length, 1, seen);
  assert.ok(seen.indexOf("visible") < seen.indexOf('"line"'));
  assert.match(seen, /ended 0/);
  assert.deepEqual(seen.match(/-?echo /g), ["echo ", "echo "]);
});

test("Ctrl-C at the secret cancels it, and only y or yes is a yes", { timeout: 60_000 }, async () => {
  if (!script) return assert.equal(typed("\x03").state, "cancelled");
  for (const [answer, yes] of [
    ["\r", false],
    ["n\r", false],
    ["yup\r", false],
    ["YES\r", true],
  ] as const) {
    const seen = await onTerminal([
      ["secret? ", "can\x03"],
      ["line? ", "x\r"],
      ["sure? [y/N] ", answer],
    ]);
    assert.match(seen, new RegExp(`"secret":null,"line":"x","yes":${yes}`));
    assert.deepEqual(seen.match(/-?echo /g), ["echo ", "echo "]);
  }
});

test("a signal at the secret ends janee and gives the terminal its echo back", {
  timeout: 60_000,
}, async () => {
  if (!script) return assert.equal(typed("abc").state, "open");
  process.env.ASKER_PID = "1";
  try {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      const seen = await onTerminal([["secret? ", ""]], (text) => {
        process.kill(Number(/pid (\d+) /.exec(text)?.[1]), signal);
      });
      assert.match(seen, signal === "SIGTERM" ? /ended 143/ : /ended 129/);
      assert.deepEqual(seen.match(/-?echo /g), ["echo ", "echo "]);
    }
  } finally {
    delete process.env.ASKER_PID;
  }
});

test("what is written in one tick goes out in one piece, in order, and each writer hears of it", {
  timeout: 10_000,
}, async () => {
  const pieces: string[] = [];
  let refuse = false;
  const write = gathered((text, done) => {
    pieces.push(text);
    done(refuse ? new Error("closed") : null);
  });
  await Promise.all([write("a"), write("b"), write("c")]);
  await write("d");
  assert.deepEqual(pieces, ["abc", "d"]);
  refuse = true;
  await assert.rejects(write("e"), /closed/);
});
