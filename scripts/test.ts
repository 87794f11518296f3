// Runs every test on Bun and on Deno at once, shows the one after the other, and ends with one line that counts them.
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const bun = process.execPath;
const deno = process.env.JANEE_DEV_DENO ?? "deno";
const longestMs = 40 * 60_000;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** `shown`: resolves when its output may go to the terminal; until then it waits. */
async function capture(
  command: readonly string[],
  shown: Promise<unknown> = Promise.resolve(),
): Promise<{ status: number; text: string }> {
  const child = Bun.spawn([...command], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const overdue = setTimeout(() => child.kill("SIGKILL"), longestMs);
  let text = "";
  let isShown = false;
  const show = shown.then(() => {
    isShown = true;
    process.stderr.write(text);
  });
  const relay = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const piece = decoder.decode(bytes, { stream: true });
      text += piece;
      if (isShown) process.stderr.write(piece);
    }
  };
  await Promise.all([relay(child.stdout), relay(child.stderr)]);
  const status = await child.exited;
  clearTimeout(overdue);
  await show;
  return { status, text };
}

/** A runtime that died, reported an error outside a test, or ran nothing has failed, whatever it counted. */
function judged(status: number, passed: number, failed: number, errors: number): Outcome {
  const broken = failed === 0 && (status !== 0 || passed === 0 || errors > 0);
  return { passed, failed: failed + errors + (broken ? 1 : 0) };
}

function lastCount(text: string, pattern: RegExp): number {
  return Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
}

async function onBun(paths: readonly string[]): Promise<Outcome> {
  const { status, text } = await capture([bun, "test", "--timeout", "120000", ...paths]);
  const count = (word: string): number => lastCount(text, new RegExp(`^\\s*(\\d+) ${word}$`, "gm"));
  return judged(status, count("pass"), count("fail"), count("errors?"));
}

async function onDeno(paths: readonly string[], shown: Promise<unknown>): Promise<Outcome> {
  const { status, text } = await capture([deno, "test", "-A", "--no-check", ...paths], shown);
  const passed = lastCount(text, /\| (\d+) passed/g);
  return judged(status, passed, lastCount(text, /\| \d+ passed[^|]*\| (\d+) failed/g), 0);
}

const paths = process.argv.slice(2);
const chosen = paths.length > 0 ? paths : ["./test"];

if (paths.length === 0) {
  const build = await capture([bun, join("scripts", "compile.ts")]);
  if (build.status !== 0) {
    console.log("the build failed\n0 passed, 1 failed");
    process.exit(1);
  }
}
function reported(name: string, outcome: Outcome): Outcome {
  console.error(`${name}: ${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome;
}

const first = onBun(chosen).then((outcome) => reported("bun", outcome));
const second = onDeno(chosen, first).then((outcome) => reported("deno", outcome));
const outcomes = await Promise.all([first, second]);
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
