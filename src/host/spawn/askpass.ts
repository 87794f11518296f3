// How git and ssh get a password that is in no argument, variable or file: they start janee again as their
// askpass, which asks this process over a socket that only the same user can reach and only kin get an answer from.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../engine/failure.ts";
import { isCompiled, runtimeName } from "../runtime.ts";
import { quoted } from "./trust.ts";

const windows = process.platform === "win32";
/** sun_path holds 104 bytes on macOS, 108 on Linux. */
const longestSocketPath = 100;
const longestQuestion = 64 * 1024;
const idleMs = 10_000;

export interface Askpass {
  readonly environment: Readonly<Record<string, string>>;
  close(): void;
}

/** `mayAsk` judges the descriptor of the one who asks. */
export async function openAskpass(
  scratch: string,
  answer: (prompt: string) => string | undefined,
  mayAsk: (descriptor: number | undefined) => boolean,
): Promise<Askpass | Failure> {
  const nonce = randomBytes(16).toString("hex");
  const { socket, folder } = socketIn(scratch);
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (peer) => {
    open.add(peer);
    const descriptor = (peer as unknown as { _handle?: { fd?: number } })._handle?.fd;
    const welcome = mayAsk(descriptor);
    let question = "";
    peer.setTimeout(idleMs, () => peer.destroy());
    peer.on("error", () => peer.destroy()).on("close", () => open.delete(peer));
    peer.on("data", (bytes: Buffer) => {
      question += bytes.toString("latin1");
      const end = question.indexOf("\n");
      if (end < 0 && question.length < longestQuestion) return;
      peer.removeAllListeners("data");
      const prompt = welcome ? promptOf(question.slice(0, Math.max(end, 0)), nonce) : undefined;
      peer.end(JSON.stringify({ answer: prompt === undefined ? undefined : answer(prompt) }));
    });
  });
  const close = (): void => {
    server.close();
    for (const peer of open) peer.destroy();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((done, failed) => {
      server.once("error", failed).listen(socket, done);
    });
    const script = writeScript(scratch);
    return {
      close,
      environment: {
        JANEE_ASKPASS: `${nonce}@${socket}`,
        GIT_ASKPASS: script,
        SSH_ASKPASS: script,
        SSH_ASKPASS_REQUIRE: "force",
      },
    };
  } catch (error) {
    close();
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return new Failure("spawn_failed", `the askpass of the command could not be set up (${code})`);
  }
}

function socketIn(scratch: string): { socket: string; folder?: string } {
  if (windows) return { socket: `\\\\.\\pipe\\janee-${randomBytes(16).toString("hex")}` };
  const socket = join(scratch, "ask");
  if (Buffer.byteLength(socket) <= longestSocketPath) return { socket };
  // mkdtemp makes it 0700, under a name that nobody could foresee.
  const folder = mkdtempSync(join(Buffer.byteLength(tmpdir()) < 60 ? tmpdir() : "/tmp", "janee-"));
  return { socket: join(folder, "ask"), folder };
}

/** Each byte of the line stands for itself: the text is decoded when all of it is there. */
function promptOf(line: string, nonce: string): string | undefined {
  try {
    const asked: unknown = JSON.parse(Buffer.from(line, "latin1").toString("utf8"));
    const { nonce: shown, prompt } = asked as { nonce?: unknown; prompt?: unknown };
    return shown === nonce && typeof prompt === "string" ? prompt : undefined;
  } catch {
    return undefined;
  }
}

/** Runs this same janee, away from whatever lies in the folder where git works. */
function writeScript(scratch: string): string {
  const path = join(scratch, windows ? "askpass.cmd" : "askpass");
  const command = selfCommand();
  const text = windows
    ? `@${command.map((word) => `"${word}"`).join(" ")} %1\r\n`
    : `#!/bin/sh\ncd / && exec ${command.map(quoted).join(" ")} "$1"\n`;
  writeFileSync(path, text, { mode: 0o700, flag: "wx" });
  return path;
}

function selfCommand(): readonly string[] {
  if (isCompiled) return [process.execPath];
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const flags = runtimeName() === "deno" ? ["run", "-A", "--quiet", "--no-check", "--no-lock"] : [];
  return [process.execPath, ...flags, main];
}
