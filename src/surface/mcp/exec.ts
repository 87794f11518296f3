// `exec`: a tool call becomes a command, on the same broker.
import type { Captured } from "../../engine/exec/call.ts";
import { Failure } from "../../engine/failure.ts";
import type { Input } from "./arguments.ts";
import type { Asked, McpFace } from "./face.ts";
import { lifelineOf } from "./lifeline.ts";
import type { Output } from "./results.ts";
import { textOf } from "./text.ts";

export async function exec(
  face: McpFace,
  { capability, command, cwd, stdin, reason }: Input<"exec">,
  asked: Asked,
): Promise<Output<"exec"> | Failure> {
  const { lifeline, release } = lifelineOf(asked.signal);
  try {
    const reply = await face.broker.run({
      surface: asked.surface,
      peer: asked.caller.owner,
      by: { caller: asked.caller },
      ...{ capability, command, lifeline },
      ...(cwd === undefined ? {} : { cwd }),
      stdin: Buffer.from(stdin ?? "", "utf8"),
      ...(reason === undefined ? {} : { reason }),
    });
    if (reply instanceof Failure) return reply;
    const { exitCode, signal, durationMs, timedOut, stdout, stderr } = reply;
    await asked.room(stdout.bytes.length + stderr.bytes.length);
    const [out, err] = [shown(stdout), shown(stderr)];
    return {
      exitCode,
      ...(signal === null ? {} : { signal }),
      stdout: out.text,
      ...(out.isText ? {} : { stdoutEncoding: "base64" as const }),
      stderr: err.text,
      ...(err.isText ? {} : { stderrEncoding: "base64" as const }),
      durationMs,
      timedOut,
      ...(stdout.omitted + stderr.omitted > 0 ? { truncated: true } : {}),
    };
  } finally {
    release();
  }
}

/** Head and tail with a mark between them; what is no text is base64 and has no mark in it. */
export function shown({ bytes, omitted, cutAt }: Captured): {
  readonly text: string;
  readonly isText: boolean;
} {
  const head = textOf(bytes.subarray(0, cutAt), omitted > 0);
  const tail = textOf(afterCut(bytes.subarray(cutAt), omitted > 0), false);
  if (head === undefined || tail === undefined) return { text: bytes.toString("base64"), isText: false };
  const mark = omitted > 0 ? `\n[janee: ${omitted} bytes left out]\n` : "";
  return { text: `${head}${mark}${tail}`, isText: true };
}

/** Without the rest of a character that the cut went through (RFC 3629 section 3: 10xxxxxx). */
function afterCut(bytes: Buffer, cut: boolean): Buffer {
  let start = 0;
  while (cut && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
