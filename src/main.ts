// Splits argv, runs, renders what nobody expected, exits.
import { writeSync } from "node:fs";
import { run } from "./commands/index.ts";

const argv = process.argv.slice(2);

/** Blocking and whole: what was printed is out before the process exits, into pipes as well. */
function write(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(`${text}\n`, "utf8");
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EAGAIN") continue;
      // Talk that nobody hears stops no work and changes no exit code.
      if (descriptor === 2) return;
      if (code === "EPIPE") process.exit(0);
      talk.say(
        `janee: standard output cannot be written (${code ?? "unknown"}): what was asked for is not whole`,
      );
      process.exit(1);
    }
  }
}

/** A runner of jobs takes lines for commands to itself: what others wrote into a message is none. */
function inert(text: string): string {
  if (process.env.GITHUB_ACTIONS !== "true") return text;
  return text.replaceAll("##[", "## [").replace(/^(\s*):(?=:)/gm, "$1: ");
}

const talk = {
  environment: process.env,
  json: argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json"),
  print: (text: string) => write(1, text),
  printJson: (value: unknown) => write(1, JSON.stringify(value, undefined, 2)),
  say: (text: string) => write(2, inert(text)),
};

/** Set by janee itself for a command that it runs: git or ssh wants a password, and started this to ask for it. */
const asked = process.env.JANEE_ASKPASS;

try {
  if (asked !== undefined) {
    const { askpass } = await import("./commands/askpass.ts");
    process.exit(await askpass(asked, argv[0] ?? "", talk.print));
  }
  process.exit(await run(argv, talk));
} catch (error) {
  const detail = error instanceof Error ? error : new Error(String(error));
  talk.say(`janee: this is a bug in janee: ${detail.message}`);
  if (process.env.JANEE_DEBUG) talk.say(detail.stack ?? "");
  else talk.say("  → run it again with JANEE_DEBUG=1 and report what it prints");
  process.exit(1);
}
