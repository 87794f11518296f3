// A client's file that cannot be taken as it is: always with its place, never with its content.
import { Failure } from "../../engine/failure.ts";

export interface Spot {
  readonly line: number;
  readonly column: number;
}

export function invalid(file: string, what: string, { line, column }: Spot, next?: string): Failure {
  return new Failure("config_invalid", what, {
    at: { file, line, column },
    next: next ?? "mend the file, then run it again; nothing was written",
  });
}

export function spotAt(text: string, offset: number): Spot {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: before.length - lineStart + 1 };
}

export const top: Spot = { line: 1, column: 1 };
