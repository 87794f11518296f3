// Talking with a person: questions go to stderr, for stdout belongs to the command's own output.
import { StringDecoder } from "node:string_decoder";
import { Failure } from "../engine/failure.ts";

export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** One line as it is typed, where the terminal does not edit it for us. */
export class TypedLine {
  #text = "";

  /** Takes what was typed; what comes after the end of the line is handed back. */
  type(input: string): { readonly state: "open" | "done" | "cancelled"; readonly rest: string } {
    // Arrow keys and their like, and the marks around a paste, are no part of a secret.
    const characters = [...input.replace(/\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O[@-~])/g, "")];
    for (const [index, character] of characters.entries()) {
      const rest = () => characters.slice(index + 1).join("");
      if (character === "\r" || character === "\n") {
        const after = rest();
        return { state: "done", rest: character === "\r" && after.startsWith("\n") ? after.slice(1) : after };
      }
      if (character === "\x03" || (character === "\x04" && this.#text === ""))
        return { state: "cancelled", rest: rest() };
      if (character === "\x04") return { state: "done", rest: rest() };
      if (character === "\x7f" || character === "\b") this.#text = [...this.#text].slice(0, -1).join("");
      else if (character === "\x15") this.#text = "";
      else if (character === "\t" || character >= " ") this.#text += character;
    }
    return { state: "open", rest: "" };
  }

  get text(): string {
    return this.#text;
  }
}

// Several lines can come at once, pasted or typed ahead: they are for the questions that follow.
let typedAhead = "";

/** undefined: cancelled, or there is no terminal to ask on. */
export function askHidden(prompt: string): Promise<string | undefined> {
  return ask(prompt, true);
}

export function askLine(prompt: string): Promise<string | undefined> {
  return ask(prompt, false);
}

/** Only a typed y or yes is a yes. */
export async function askYes(question: string): Promise<boolean> {
  // A yes that was typed before the question could be read is none.
  typedAhead = "";
  const answer = await ask(`${question} [y/N] `, false);
  return /^y(?:es)?$/i.test(answer?.trim() ?? "");
}

async function ask(prompt: string, hidden: boolean): Promise<string | undefined> {
  if (!isInteractive()) return undefined;
  const { stdin } = process;
  // Echo goes off before the question can be seen: a fast answer would be shown otherwise.
  const restore = hidden ? enterRawMode() : () => {};
  process.stderr.write(prompt);
  try {
    return await readTyped(stdin);
  } finally {
    restore();
    // Without echo the Enter was not shown either.
    if (hidden) process.stderr.write("\n");
  }
}

function readTyped(stdin: NodeJS.ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    const line = new TypedLine();
    const decoder = new StringDecoder("utf8");
    const finish = (answer: string | undefined) => {
      stdin.off("data", take);
      stdin.off("end", end);
      stdin.off("error", end);
      // Else the open terminal would keep janee running.
      stdin.pause();
      resolve(answer);
    };
    const advance = (input: string) => {
      const { state, rest } = line.type(input);
      typedAhead = rest;
      if (state !== "open") finish(state === "done" ? line.text : undefined);
      return state !== "open";
    };
    const take = (chunk: Buffer | string) => {
      advance(typeof chunk === "string" ? chunk : decoder.write(chunk));
    };
    const end = () => finish(line.text === "" ? undefined : line.text);
    if (typedAhead !== "" && advance(typedAhead)) return;
    stdin.on("data", take);
    stdin.on("end", end);
    stdin.on("error", end);
    stdin.resume();
  });
}

/** Returns how to leave it. A signal that ends janee leaves it too, or the shell would stay without echo. */
function enterRawMode(): () => void {
  const { stdin } = process;
  const before = stdin.isRaw === true;
  stdin.setRawMode(true);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (signal: NodeJS.Signals) => {
    leave();
    process.kill(process.pid, signal);
  };
  const leave = () => {
    for (const signal of signals) process.off(signal, onSignal);
    process.off("exit", leave);
    stdin.setRawMode(before);
  };
  for (const signal of signals) process.on(signal, onSignal);
  process.on("exit", leave);
  return leave;
}

/** All of stdin, without the one newline that `echo` and editors put at the end. */
export async function readStdinAll(
  limit: number,
  input: AsyncIterable<Uint8Array | string> = process.stdin,
): Promise<string | Failure> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit)
      return new Failure("usage", `stdin holds more than ${limit} bytes`, {
        next: "give the credential alone",
      });
    chunks.push(bytes);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return text.replace(/\r?\n$/, "");
  } catch {
    return new Failure("usage", "stdin is not UTF-8 text", { next: "give the credential as text" });
  }
}

/** stdin and stdout as a protocol uses them: bytes in, text out, and nothing else on either. */
export function standardStreams(): {
  readonly input: AsyncIterable<Uint8Array>;
  readonly write: (text: string) => Promise<void>;
} {
  return {
    input: process.stdin,
    write: (text) =>
      new Promise((done, failed) => {
        process.stdout.write(text, (error) => (error ? failed(error) : done()));
      }),
  };
}

const longestInput = 64 * 1024 * 1024;

/** All of stdin, to its end. */
export async function readInput(): Promise<Buffer | Failure> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > longestInput)
      return new Failure("body_too_large", `stdin is limited to ${longestInput} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

export function writeOutput(stream: "stdout" | "stderr", bytes: Buffer): void {
  process[stream].write(bytes);
}
